"""Encode and decode messages, frames and state snapshots."""
