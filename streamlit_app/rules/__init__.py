"""Rules page: the live policy in words, drafts, backtests, promotion and history."""
