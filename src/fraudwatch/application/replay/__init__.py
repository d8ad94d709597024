"""Replay: a data set of the past goes through the same door as every live purchase.

A mapping file says how its rows become purchases; they are sent to the edge in the order in which
they happened, one request at a time, so that each customer's purchases keep their order. Labels
are never read here.
"""
