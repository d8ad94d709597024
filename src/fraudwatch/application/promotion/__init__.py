"""Promote a model version to champion, or roll it back."""
