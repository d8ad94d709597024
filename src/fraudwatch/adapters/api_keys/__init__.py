"""Store API keys, hashed, in one file of the home."""
