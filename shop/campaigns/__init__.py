"""The fraud that is planted: which campaign strikes whom, when and how.

One family a file, each kind a pattern that a person recognises at a glance and that a rule or a
model can find. A campaign is a function of its scene, its beginning and its chance alone.
"""
