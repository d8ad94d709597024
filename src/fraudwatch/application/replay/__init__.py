"""Replay a data set of past purchases through the ingest API, like live purchases.

A mapping file defines how its rows become purchases; they are sent to ingest in event order, one
request at a time, so that each customer's purchases keep their order. Labels are never read here.
"""
