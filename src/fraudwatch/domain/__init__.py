"""What stays true whatever engine carries it: transactions, features, rules, policies, verdicts.

Imports the standard library, numpy and numba only; no clock, no environment, no input or output.
"""
