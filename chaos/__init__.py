"""Inject faults under load, then count lost, duplicate and conflicting verdicts."""
