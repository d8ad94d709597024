"""Inject faults under load, then count what became of every purchase."""
