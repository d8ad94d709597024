"""Generate fraud campaigns, one family of fraud in each file.

Each kind is a pattern that an analyst recognises at a glance and that a rule or a model can detect.
A campaign is a pure function of its context, its start and its random generator.
"""
