"""Fraudwatch: one platform that judges purchases in real time and learns from their history."""
