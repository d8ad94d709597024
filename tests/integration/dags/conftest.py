"""Airflow's environment, set before any test imports Airflow."""

from __future__ import annotations

import tests.airflow_environment  # noqa: F401  importing it sets the environment
