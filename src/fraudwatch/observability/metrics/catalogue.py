"""Collect the catalogue of all metrics: our processes, exporters, engines, jobs, Airflow."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.metrics.airflow import AIRFLOW
from fraudwatch.observability.metrics.artefacts import DETECTOR_ARTEFACTS
from fraudwatch.observability.metrics.console import CONSOLE
from fraudwatch.observability.metrics.consumer_lag import CONSUMER_LAG
from fraudwatch.observability.metrics.detector import DETECTOR
from fraudwatch.observability.metrics.engines import CASSANDRA, HDFS, KAFKA
from fraudwatch.observability.metrics.ingest import INGEST
from fraudwatch.observability.metrics.jobs import JOBS, QUALITY
from fraudwatch.observability.metrics.metric import Metric, Section
from fraudwatch.observability.metrics.persister import PERSISTER
from fraudwatch.observability.metrics.service_usage import MACHINE, SERVICE_USAGE
from fraudwatch.observability.metrics.shared import SHARED
from fraudwatch.observability.metrics.shop import SHOP
from fraudwatch.observability.metrics.tally import TALLY

SECTIONS: Final[tuple[Section, ...]] = (
    SHOP,
    INGEST,
    DETECTOR,
    DETECTOR_ARTEFACTS,
    PERSISTER,
    TALLY,
    CONSOLE,
    SHARED,
    CONSUMER_LAG,
    SERVICE_USAGE,
    MACHINE,
    KAFKA,
    CASSANDRA,
    HDFS,
    JOBS,
    QUALITY,
    AIRFLOW,
)
METRICS: Final[dict[str, Metric]] = {
    metric.name: metric for section in SECTIONS for metric in section.metrics
}
