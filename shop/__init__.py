"""Simulate the source system: a shop, to be replaced by your own system.

It depends on nothing of Fraudwatch but its own settings, and Fraudwatch depends on nothing of it
but three endpoints: a live feed, a daily extract and chargebacks. Only chargebacks label purchases
as fraud: late, incomplete and not quite right.
"""
