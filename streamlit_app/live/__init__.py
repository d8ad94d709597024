"""The Live page: one shared window of alerts, filtered and grouped by session."""
