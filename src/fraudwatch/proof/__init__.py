"""A proof that stays: load with a ledger, faults by a seed, and a count of what became of it."""
