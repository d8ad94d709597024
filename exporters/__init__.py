"""Exporters: processes that publish metrics of what cannot publish its own."""
