"""Store console accounts and hash their passwords."""
