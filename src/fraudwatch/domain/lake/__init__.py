"""Describe days in the lake: extracts, job outcomes, row counts, retention."""
