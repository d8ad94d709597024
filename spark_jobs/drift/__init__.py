"""Measure data and score drift."""
