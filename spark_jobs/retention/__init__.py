"""Enforce retention in the lake."""
