"""Who may look: logging in, accounts, and the audit of what is not done unseen."""
