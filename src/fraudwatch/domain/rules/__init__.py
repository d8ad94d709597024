"""Fraud rules: one file each, pure, vectorised, with an answer for missing data and a sentence."""
