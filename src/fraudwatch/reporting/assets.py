"""Data sets, charts and dashboards as plain data, each with a stable id."""

from __future__ import annotations

DATA_SETS = ()
