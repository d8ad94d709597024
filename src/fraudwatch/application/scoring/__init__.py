"""Score a batch of purchases and explain the result."""
