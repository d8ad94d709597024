"""Serve the REST API: verdicts, alerts and labels for other programs."""
