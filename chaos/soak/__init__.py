"""Soak test: hours of load at a constant rate, then the counts of a chaos run and memory growth."""
