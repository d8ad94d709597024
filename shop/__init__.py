"""The outside world: a shop that everyone replaces by their own system.

It knows nothing of Fraudwatch but its own settings, and Fraudwatch knows nothing of it but three
endpoints: a live feed, a daily extract and chargebacks. Only the last one tells which purchases are
fraud: late, not all of them, and not quite right.
"""
