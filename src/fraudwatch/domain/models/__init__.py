"""Evaluate models: one evaluator for each kind, for stream and batch."""
