"""Metrics that other processes export."""
