"""Reach the outside world: personal-data vault, shop feeds, HTTP clients."""
