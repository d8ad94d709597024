"""Use cases of the platform, over ports only: no driver and no engine is imported here."""
