"""Publish the batch fold's end-of-day state as a snapshot that the detector can start from."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from math import ceil
from pathlib import Path

from pyspark.sql import Row, SparkSession

from fraudwatch import lake
from fraudwatch.adapters.codecs.snapshot_segments import SEGMENT_ROWS
from fraudwatch.adapters.codecs.state_snapshots import Covered, SnapshotFolder
from fraudwatch.adapters.lake.archive_table import archived_topic_id
from fraudwatch.domain.features.customer_rows import CustomerArrays
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.hashing import keys_of
from spark_jobs.reconcile.customer_state_bytes import rows_from
from spark_jobs.reconcile.customer_states import Base


def publish_states(spark: SparkSession, stored: Base, folder: Path) -> int:
    """Publish a stored day of today's features version; return its number of customers.

    The newest few are kept. The rows come to this process in small parts.
    """
    states = stored.states(spark)
    customers = states.count()
    # Spark collects a partition at once.
    rows = states.repartition(max(1, ceil(customers / SEGMENT_ROWS))).toLocalIterator()
    topic_id = archived_topic_id(spark, f"{lake.DATABASE}.{lake.RAW_TRANSACTION_TOPIC}")
    covered = Covered(features_version(), stored.ends, time.time_ns() // 1_000_000, topic_id or "")
    SnapshotFolder(folder).write(_parts(rows), covered)
    return customers


def _parts(rows: Iterable[Row]) -> Iterator[CustomerArrays]:
    remaining = iter(rows)
    while some := list(islice(remaining, SEGMENT_ROWS)):
        keys = keys_of([row.customer_token for row in some])
        yield CustomerArrays(keys, rows_from([row.state for row in some]))
