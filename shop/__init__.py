"""The outside world: a shop that everyone replaces by their own system.

It knows nothing of Fraudwatch but its own settings, and Fraudwatch knows nothing of it but two
endpoints: a live feed and a daily extract. Which purchases are fraud is never told by either.
"""
