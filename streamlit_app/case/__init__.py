"""The case screen: one purchase, why it was held suspicious, and what it turns out to be."""
