"""What a training draws on: rows of the lake at pinned versions, and what was believed when."""

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
from spark_jobs.train.point_in_time_views import told_as_of
from spark_jobs.train.training_rows import changes_of, rows_of

log = logging.getLogger("train_model")

# Of purchases, what was believed of them and a span of epoch ms: what views said of each.
Tell = Callable[[DataFrame, Sequence[LabelChange], tuple[int, int]], DataFrame]
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DRAWN_ON = (CORE_FEATURES, CORE_TRANSACTIONS, CORE_LABELS, CORE_VERDICTS)


class NotEnough(Exception):
    """Too little to learn from or to tell who is better; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The rows and the labels of a training; days since 1970, UTC, ``today`` not included."""

    rows: DataFrame
    changes: Sequence[LabelChange]
    first: int
    today: int
    without_features: int
    versions: dict[str, int]


def horizon(last: date, plan: FoldPlan) -> date:
    """The first day that any fold can look at."""
    reach = plan.train_days + plan.folds * plan.test_days + 2 * plan.delay_days
    return last - timedelta(days=reach - 1)


def days_of(spark: SparkSession, asked: Sequence[date | None], plan: FoldPlan, now_ms: int) -> Days:
    """The days asked for, or those that the log holds, are over, and any fold can look at.

    Raises:
        NotEnough: the lake holds no purchase of the log.
    """
    known = spark.table(f"{DATABASE}.{CORE_TRANSACTIONS}").where(F.col("origin") == FROM_LOG)
    reach = known.agg(F.min("event_on").alias("first"), F.max("event_on").alias("last")).collect()
    if reach[0].first is None:
        raise NotEnough(
            "the lake holds no purchase of the log, so there is nothing to learn from; nothing was "
            "changed. archive_topics brings them in"
        )
    first, last = asked
    last = last or min(reach[0].last, day_named(now_ms // DAY_MS - 1))
    first = first or max(reach[0].first, horizon(last, plan))
    if last < first:
        raise NotEnough(
            "the lake holds no day that is over, so there is nothing to learn from yet; nothing "
            "was changed: run this again tomorrow"
        )
    return Days(first, last)


def dataset_of(spark: SparkSession, days: Days, tell: Tell = told_as_of) -> Dataset:
    """Fold the archive, ask the views, and keep the rows at hand for all that follows."""
    build_features.build(spark, days, int(spark.conf.get("spark.sql.shuffle.partitions") or 1))
    tables = pinned(spark, _DRAWN_ON)
    changes = changes_of(tables.frame(CORE_LABELS), days.until_ms)
    log.info("labels speak of %d purchases", len({one.transaction_id for one in changes}))
    purchases = tables.frame(CORE_TRANSACTIONS)
    told = tell(purchases, changes, (days.from_ms, days.until_ms))
    rows = rows_of(tables, told, (days.first, days.last)).persist(StorageLevel.DISK_ONLY)
    held = rows.count()
    there = purchases.where(days.holds("event_on")).count()
    log.info("%d purchases with features, %d without (extract alone)", held, there - held)
    return Dataset(
        rows=rows,
        changes=changes,
        first=day_number(days.first),
        today=day_number(days.last) + 1,
        without_features=there - held,
        versions=dict(tables.versions),
    )


def day_number(day: date) -> int:
    """Days since 1970."""
    return day.toordinal() - _EPOCH_DAY


def day_named(number: int) -> date:
    """The day of such a number."""
    return date.fromordinal(_EPOCH_DAY + number)
