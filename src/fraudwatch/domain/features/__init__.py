"""Features of a purchase from its customer's history, by one fold for stream and batch."""
