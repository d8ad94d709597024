"""Reconcile a day of the stream with a batch recomputation."""
