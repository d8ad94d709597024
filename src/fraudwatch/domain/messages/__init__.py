"""Define the messages on the topics: purchase, transaction, verdict, label, audit record."""
