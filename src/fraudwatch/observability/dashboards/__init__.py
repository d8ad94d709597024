"""Grafana dashboards as plain data, and the program that writes them as JSON."""
