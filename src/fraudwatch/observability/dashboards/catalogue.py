"""List all dashboards."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.airflow_and_batch import AIRFLOW_AND_BATCH
from fraudwatch.observability.dashboards.cassandra import CASSANDRA
from fraudwatch.observability.dashboards.fraud_operations import FRAUD_OPERATIONS
from fraudwatch.observability.dashboards.hdfs_and_hive import HDFS_AND_HIVE
from fraudwatch.observability.dashboards.hosts import HOSTS_AND_CONTAINERS
from fraudwatch.observability.dashboards.kafka import KAFKA
from fraudwatch.observability.dashboards.streaming import STREAMING

DASHBOARDS: Final = (
    FRAUD_OPERATIONS,
    STREAMING,
    AIRFLOW_AND_BATCH,
    KAFKA,
    CASSANDRA,
    HDFS_AND_HIVE,
    HOSTS_AND_CONTAINERS,
)
