"""Pure core without engines: messages, features, risk views, rules, policies, models, evaluation.

Imports the standard library, numpy and numba only; no clock, no environment, no input or output.
"""
