"""Run the notifier: messages to staff and notices to customers about verdicts."""
