"""Services of the Operations page, wired from the settings of the console."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.edge.airflow_api import AirflowEndpoint
from fraudwatch.adapters.edge.airflow_runs import AirflowDagRuns
from fraudwatch.adapters.metrics.exporter_reader import HttpExporters
from fraudwatch.application.api_keys import KeyStore
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.operations.dag_runs import DagRuns
from fraudwatch.application.operations.exporters import Exporters
from fraudwatch.application.operations.latency import RecentLatency
from fraudwatch.application.operations.status import METRICS
from fraudwatch.domain.time_units import MINUTE_MS
from fraudwatch.policy_settings import AirflowBacktestSettings
from fraudwatch.settings import ApiKeySettings
from streamlit_app.operations.settings import OperationsSettings

RECENT_MS: Final = 10 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsServices:
    """Ports of the page."""

    exporters: Exporters
    dag_runs: DagRuns
    keys: KeyStore
    audit_log: Callable[[], AuditLog]
    now_ms: Callable[[], int]
    latency: RecentLatency = field(default_factory=lambda: RecentLatency(RECENT_MS))


def open_operations(audit_log: Callable[[], AuditLog]) -> OperationsServices:
    """Wire the services; nothing is connected to yet."""
    airflow = AirflowBacktestSettings()
    password = airflow.airflow_password.get_secret_value()
    return OperationsServices(
        exporters=HttpExporters(OperationsSettings().exporters, METRICS),
        dag_runs=AirflowDagRuns(
            AirflowEndpoint(airflow.airflow_url, airflow.airflow_login, password)
        ),
        keys=ApiKeyFile(ApiKeySettings().path),
        audit_log=audit_log,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
