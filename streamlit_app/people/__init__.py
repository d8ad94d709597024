"""Login, accounts, and the audit log."""
