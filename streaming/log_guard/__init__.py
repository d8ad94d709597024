"""Run the log guard: delete from topics what all have read while the disk is full."""
