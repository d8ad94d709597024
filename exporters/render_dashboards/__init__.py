"""Render Grafana's dashboards as pictures, for a machine where no Grafana can be had."""
