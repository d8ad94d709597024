"""Calibrate a classifier's output to a probability of fraud, and count alerts by threshold."""
