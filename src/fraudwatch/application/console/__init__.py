"""Serve the analysts' console: accounts, alerts, cases, decisions, reveals, tallies."""
