"""Data sets in files, through polars: what their columns mean, their purchases, what was sent."""
