"""Backfill feature vectors from the archive."""
