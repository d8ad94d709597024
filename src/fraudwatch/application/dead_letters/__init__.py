"""Inspect dead letters and replay them."""
