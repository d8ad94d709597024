"""Adapters of webhooks: subscription file, outbox in SQLite, HTTP to public addresses only."""
