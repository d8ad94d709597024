"""Exporter of what services and the machine use, with the names of cAdvisor and node exporter."""
