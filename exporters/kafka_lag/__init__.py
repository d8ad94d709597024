"""Exporter of consumer lag, also of consumers that are down: by messages, seconds and retention."""
