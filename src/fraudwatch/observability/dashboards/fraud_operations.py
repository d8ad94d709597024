"""Dashboard *Fraud operations*: is it working, right, drifting, and is the work done."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.fraud_drift_and_work import DRIFTING, WORK
from fraudwatch.observability.dashboards.fraud_quality import RIGHT
from fraudwatch.observability.dashboards.fraud_working import WORKING
from fraudwatch.observability.dashboards.panels import Dashboard

FRAUD_OPERATIONS: Final = Dashboard(
    uid="fraudwatch-operations",
    title="Fraud operations",
    about="Is it working, is it right, is it drifting, is the work getting done.",
    rows=(WORKING, RIGHT, DRIFTING, WORK),
)
