"""Build the training data set: lake tables at pinned versions, and the history of labels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.core_rows import FROM_LOG
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.folds import FoldPlan, LabelledDays
from fraudwatch.domain.training.history import History, history_of
from fraudwatch.domain.training.label_history import LabelChange, labels_as_of
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
from spark_jobs.train.training_rows import (
    count_labels_by_source,
    load_label_changes,
    training_rows,
    with_labels,
)

log = logging.getLogger("train_model")

# Takes purchases, their label changes, a span of epoch ms and the label delay in ms; returns each
# one's view features.
ViewLookup = Callable[[DataFrame, Sequence[LabelChange], tuple[int, int], int], DataFrame]
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SOURCE_TABLES = (CORE_FEATURES, CORE_TRANSACTIONS, CORE_LABELS, CORE_VERDICTS)
_NAMED = 5  # stray days in a sentence; the run record has all of them


class NotEnoughData(Exception):
    """Too little data to train on or to compare models; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Rows and labels of a training; days since 1970, UTC, ``today`` not included.

    ``stray_days`` are the days that were left out, with their number of purchases.
    """

    rows: DataFrame
    changes: Sequence[LabelChange]
    first: int
    today: int
    label_delay_days: int
    stray_days: Mapping[int, int]
    without_features: int
    versions: dict[str, int]
    labels_by_source: Mapping[str, int] = field(default_factory=dict)
    """Labels in use by source and value, such as ``won_dispute genuine``."""


def training_history(
    spark: SparkSession, requested: Sequence[date | None], plan: FoldPlan, now_ms: int
) -> History:
    """Find the days to train and test on; default: the past days in the log that folds can use.

    Stray days, which hold a few purchases before or after all others, are left out.

    Raises:
        NotEnoughData: the lake has no purchase from the log, or none on these days.
    """
    purchases = _purchases_by_day(spark)
    if not purchases:
        raise NotEnoughData(
            "the lake has no purchase from the log, so there is nothing to train on; nothing was "
            "changed: run the DAG archive_topics first"
        )
    first, last = (day_number(day) if day else None for day in requested)
    today = now_ms // DAY_MS
    past = {day: number for day, number in purchases.items() if last is not None or day < today}
    history = history_of(past, plan, first=first, end=None if last is None else last + 1)
    if history is None or history.end <= history.first:
        raise NotEnoughData(
            "the lake has no day that is over, so there is nothing to train on yet; nothing was "
            "changed: run this again tomorrow"
        )
    if history.stray_days:
        log.warning("%s", stray_days_sentence(history.stray_days))
    return history


def _purchases_by_day(spark: SparkSession) -> dict[int, int]:
    known = spark.table(f"{DATABASE}.{CORE_TRANSACTIONS}").where(F.col("origin") == FROM_LOG)
    counted = known.where(F.col("event_on").isNotNull()).groupBy("event_on").count()
    return {day_number(row.event_on): row["count"] for row in counted.collect()}


def stray_days_sentence(stray_days: Mapping[int, int]) -> str:
    """Return one sentence that names the stray days; empty without one."""
    if not stray_days:
        return ""
    named = [
        f"{day_from_number(day)} ({number} purchase{'' if number == 1 else 's'})"
        for day, number in list(stray_days.items())[:_NAMED]
    ]
    if (more := len(stray_days) - _NAMED) > 0:
        named.append(f"{more} more")
    return f"Stray days before or after the history were left out: {', '.join(named)}"


def dataset_of(
    spark: SparkSession,
    history: History,
    label_delay_days: int,
    lookup_views: ViewLookup = point_in_time_views,
) -> Dataset:
    """Fold the archive, look up view features, and persist the joined rows."""
    days = Days(day_from_number(history.first), day_from_number(history.end - 1))
    build_features.build(spark, days, int(spark.conf.get("spark.sql.shuffle.partitions") or 1))
    tables = pinned(spark, _SOURCE_TABLES)
    changes = load_label_changes(tables.frame(CORE_LABELS), days.until_ms)
    log.info("%d purchases have labels", len({one.transaction_id for one in changes}))
    purchases = tables.frame(CORE_TRANSACTIONS)
    span_ms = (days.from_ms, days.until_ms)
    views = lookup_views(purchases, changes, span_ms, label_delay_days * DAY_MS)
    rows = training_rows(tables, views, (days.first, days.last)).persist(StorageLevel.DISK_ONLY)
    usable = rows.count()
    total = purchases.where(days.contains("event_on")).count()
    log.info("%d purchases with features, %d without (extract only)", usable, total - usable)
    return Dataset(
        rows=rows,
        changes=changes,
        first=history.first,
        today=history.end,
        label_delay_days=label_delay_days,
        stray_days=history.stray_days,
        without_features=total - usable,
        versions=dict(tables.versions),
        labels_by_source=count_labels_by_source(tables.frame(CORE_LABELS), days.until_ms),
    )


def labelled_days(data: Dataset, fewest_frauds: int) -> LabelledDays:
    """Count known frauds and other purchases by day, by the labels of the last day."""
    known = with_labels(data.rows, labels_as_of(data.changes, data.today * DAY_MS))
    frauds: dict[int, int] = {}
    others: dict[int, int] = {}
    for row in known.groupBy("event_on", "is_fraud").count().collect():
        (frauds if row.is_fraud else others)[day_number(row.event_on)] = row["count"]
    return LabelledDays(frauds=frauds, others=others, fewest_frauds=fewest_frauds)


def day_number(day: date) -> int:
    """Convert a day to its number of days since 1970."""
    return day.toordinal() - _EPOCH_DAY


def day_from_number(number: int) -> date:
    """Convert a number of days since 1970 to the day."""
    return date.fromordinal(_EPOCH_DAY + number)
