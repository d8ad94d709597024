"""Catalogue of all metrics: our processes, exporters, engines, jobs, Airflow.

``docs/metrics.md`` is generated from it. It imports no client of Prometheus or StatsD.
"""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.airflow import AIRFLOW
from fraudwatch.observability.catalogue.artefacts import DETECTOR_ARTEFACTS
from fraudwatch.observability.catalogue.console import CONSOLE
from fraudwatch.observability.catalogue.consumer_lag import CONSUMER_LAG
from fraudwatch.observability.catalogue.detector import DETECTOR
from fraudwatch.observability.catalogue.engines import CASSANDRA, HDFS, KAFKA
from fraudwatch.observability.catalogue.ingest import INGEST
from fraudwatch.observability.catalogue.jobs import JOBS, QUALITY, STATSD_BRIDGE
from fraudwatch.observability.catalogue.log_guard import LOG_GUARD
from fraudwatch.observability.catalogue.metric import Metric, Section
from fraudwatch.observability.catalogue.monitoring import JAVA, MONITORING
from fraudwatch.observability.catalogue.notifier import NOTIFIER
from fraudwatch.observability.catalogue.persister import PERSISTER
from fraudwatch.observability.catalogue.rest_api import REST_API
from fraudwatch.observability.catalogue.service_usage import MACHINE, SERVICE_USAGE
from fraudwatch.observability.catalogue.shadow import SHADOW
from fraudwatch.observability.catalogue.shared import SHARED
from fraudwatch.observability.catalogue.shop import SHOP
from fraudwatch.observability.catalogue.spark import SPARK
from fraudwatch.observability.catalogue.tally import TALLY
from fraudwatch.observability.catalogue.webhooks import WEBHOOKS

SECTIONS: Final[tuple[Section, ...]] = (
    SHOP,
    INGEST,
    DETECTOR,
    DETECTOR_ARTEFACTS,
    PERSISTER,
    TALLY,
    NOTIFIER,
    WEBHOOKS,
    SHADOW,
    CONSOLE,
    REST_API,
    SHARED,
    CONSUMER_LAG,
    LOG_GUARD,
    SERVICE_USAGE,
    MACHINE,
    KAFKA,
    CASSANDRA,
    HDFS,
    SPARK,
    JAVA,
    MONITORING,
    JOBS,
    QUALITY,
    STATSD_BRIDGE,
    AIRFLOW,
)
METRICS: Final[dict[str, Metric]] = {
    metric.name: metric for section in SECTIONS for metric in section.metrics
}
