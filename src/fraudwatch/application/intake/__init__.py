"""Validate purchases and labels, seal personal data, submit to the log."""
