"""Refine raw messages and extracts into core tables."""
