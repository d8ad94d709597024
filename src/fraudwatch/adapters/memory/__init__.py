"""Keep in memory what engines keep, for tests; product code must not import this."""
