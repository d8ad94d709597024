"""Build the training data set: lake tables at pinned versions, and the history of labels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.core_rows import FROM_LOG
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.folds import FoldPlan
from fraudwatch.domain.training.label_history import LabelChange
from fraudwatch.lake import (
    CORE_FEATURES,
    CORE_LABELS,
    CORE_TRANSACTIONS,
    CORE_VERDICTS,
    DATABASE,
)
from spark_jobs.days import Days
from spark_jobs.features import build_features
from spark_jobs.train.pinned_tables import pinned
from spark_jobs.train.point_in_time_views import point_in_time_views
from spark_jobs.train.training_rows import load_label_changes, training_rows

log = logging.getLogger("train_model")

# Takes purchases, their label changes and a span of epoch ms; returns each one's view features.
ViewLookup = Callable[[DataFrame, Sequence[LabelChange], tuple[int, int]], DataFrame]
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SOURCE_TABLES = (CORE_FEATURES, CORE_TRANSACTIONS, CORE_LABELS, CORE_VERDICTS)


class NotEnoughData(Exception):
    """Too little data to train on or to compare models; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Rows and labels of a training; days since 1970, UTC, ``today`` not included."""

    rows: DataFrame
    changes: Sequence[LabelChange]
    first: int
    today: int
    without_features: int
    versions: dict[str, int]


def horizon(last: date, plan: FoldPlan) -> date:
    """Return the first day that any fold can use."""
    reach = plan.train_days + plan.folds * plan.test_days + 2 * plan.delay_days
    return last - timedelta(days=reach - 1)


def days_of(
    spark: SparkSession, requested: Sequence[date | None], plan: FoldPlan, now_ms: int
) -> Days:
    """Return the requested days; default: past days in the log that any fold can use.

    Raises:
        NotEnoughData: the lake has no purchase from the log.
    """
    known = spark.table(f"{DATABASE}.{CORE_TRANSACTIONS}").where(F.col("origin") == FROM_LOG)
    reach = known.agg(F.min("event_on").alias("first"), F.max("event_on").alias("last")).collect()
    if reach[0].first is None:
        raise NotEnoughData(
            "the lake has no purchase from the log, so there is nothing to train on; nothing was "
            "changed: run the DAG archive_topics first"
        )
    first, last = requested
    last = last or min(reach[0].last, day_from_number(now_ms // DAY_MS - 1))
    first = first or max(reach[0].first, horizon(last, plan))
    if last < first:
        raise NotEnoughData(
            "the lake has no day that is over, so there is nothing to train on yet; nothing was "
            "changed: run this again tomorrow"
        )
    return Days(first, last)


def dataset_of(
    spark: SparkSession, days: Days, lookup_views: ViewLookup = point_in_time_views
) -> Dataset:
    """Fold the archive, look up view features, and persist the joined rows."""
    build_features.build(spark, days, int(spark.conf.get("spark.sql.shuffle.partitions") or 1))
    tables = pinned(spark, _SOURCE_TABLES)
    changes = load_label_changes(tables.frame(CORE_LABELS), days.until_ms)
    log.info("%d purchases have labels", len({one.transaction_id for one in changes}))
    purchases = tables.frame(CORE_TRANSACTIONS)
    views = lookup_views(purchases, changes, (days.from_ms, days.until_ms))
    rows = training_rows(tables, views, (days.first, days.last)).persist(StorageLevel.DISK_ONLY)
    usable = rows.count()
    total = purchases.where(days.contains("event_on")).count()
    log.info("%d purchases with features, %d without (extract only)", usable, total - usable)
    return Dataset(
        rows=rows,
        changes=changes,
        first=day_number(days.first),
        today=day_number(days.last) + 1,
        without_features=total - usable,
        versions=dict(tables.versions),
    )


def day_number(day: date) -> int:
    """Convert a day to its number of days since 1970."""
    return day.toordinal() - _EPOCH_DAY


def day_from_number(number: int) -> date:
    """Convert a number of days since 1970 to the day."""
    return date.fromordinal(_EPOCH_DAY + number)
