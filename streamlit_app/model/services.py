"""Services of the Model page, wired from the settings of the console."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from fraudwatch.adapters.artefacts.canary_file import canary_file
from fraudwatch.adapters.artefacts.registry_summary_file import registry_summary_file
from fraudwatch.adapters.edge.airflow_api import AirflowEndpoint
from fraudwatch.adapters.edge.airflow_model_changes import AirflowModelChanges
from fraudwatch.adapters.metrics.exporter_reader import HttpExporters
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.operations.exporters import Exporters
from fraudwatch.application.operations.model_health import METRICS
from fraudwatch.application.promotion.canary_trial import CanaryTrials
from fraudwatch.application.promotion.model_changes import ModelChanges
from fraudwatch.policy_settings import AirflowBacktestSettings
from streamlit_app.model.settings import ModelPageSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServices:
    """Use cases and ports of the page."""

    changes: ModelChanges
    trials: CanaryTrials
    exporters: Exporters  # of the batch jobs: drift, quality


def open_models(audit_log: Callable[[], AuditLog]) -> ModelServices:
    """Wire the services; nothing is connected to yet."""
    settings, airflow = ModelPageSettings(), AirflowBacktestSettings()
    password = airflow.airflow_password.get_secret_value()
    endpoint = AirflowEndpoint(airflow.airflow_url, airflow.airflow_login, password)
    return ModelServices(
        changes=ModelChanges(
            jobs=AirflowModelChanges(endpoint),
            summaries=registry_summary_file(settings.registry_path),
            audit_log=audit_log,
            now_ms=lambda: time.time_ns() // 1_000_000,
        ),
        trials=canary_file(settings.canary_path),
        exporters=HttpExporters({"statsd_bridge": settings.exporter}, METRICS),
    )
