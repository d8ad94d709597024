"""Data sets in files, through polars: column mappings, purchases, labels, replay ledger."""
