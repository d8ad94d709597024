"""Observability of every process: metrics, logs, reasons of failures."""
