"""Notify staff and customers of verdicts: record, plan, deliver; and the edge's side of it."""
