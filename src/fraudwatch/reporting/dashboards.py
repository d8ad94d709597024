"""Every dashboard, in the order of the documents."""

from __future__ import annotations

from typing import Final

from fraudwatch.reporting.fraud_dashboards import GEOGRAPHY, MERCHANTS, OVERVIEW, RULE_BOARD
from fraudwatch.reporting.operations_dashboards import (
    DETAILS,
    MODEL,
    PIPELINE_BOARD,
    WORKLOAD_BOARD,
)

DASHBOARDS: Final = (
    OVERVIEW, GEOGRAPHY, MERCHANTS, RULE_BOARD, MODEL, PIPELINE_BOARD, WORKLOAD_BOARD, DETAILS,
)  # fmt: skip
