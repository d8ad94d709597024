"""Measure the drift of one day, each measure with its reference days."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.artefacts.model_artefact import read_artefact
from fraudwatch.adapters.artefacts.model_pointer import POINTER_NAME, Pointer, parse_pointer
from fraudwatch.domain.evaluation.drift import (
    DriftMetric,
    Measure,
    alert_rate_measure,
    index_measure,
    performance_measure,
)
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.instants import day_of
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind
from spark_jobs.days import Days
from spark_jobs.drift.rows import (
    DayWindow,
    alerts_of,
    days_before,
    matrix,
    model_scores,
    most_frequent,
    precision_of,
    recall_of,
    scores,
    vectors,
)
from spark_jobs.marts.judged import labels_known_by, scored_purchases

JOB: Final = "monitor_drift"
WEEK: Final = 7
_LABELLED_AGAINST_DAYS: Final = 28

log = logging.getLogger(JOB)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayDrift:
    """A day, the reference for its features, and the age from which labels are complete."""

    spark: SparkSession
    day: date
    label_delay_days: int
    trained_on: DayWindow | None = None

    def measure(self) -> list[tuple[Measure, DayWindow]]:
        """Return all measures, each with its reference days."""
        week = days_before(self.day, WEEK, "the days before")
        return [
            *((one, self.trained_on or week) for one in self._features(self.trained_on or week)),
            *((one, week) for one in self._scores(week)),
            *self._performance(),
        ]

    def _features(self, reference: DayWindow) -> Iterator[Measure]:
        first = min(reference.first, self.day) - timedelta(days=1)
        served = self._table(lake.RAW_FEATURE_TOPIC).where(F.col("produced_on") >= F.lit(first))
        verdicts = self._table(lake.CORE_VERDICTS).where(reference.contains() | self._is_day())
        rows = vectors(served, verdicts, features_version()).persist()
        try:
            usual = matrix(rows.where(reference.contains()))
            now = matrix(rows.where(self._is_day()))
        finally:
            rows.unpersist()
        log.info(
            "%d vectors of %s against %d of %s", len(now), self.day, len(usual), reference.label
        )
        for place, feature in enumerate(VECTOR_FEATURES):
            yield index_measure(DriftMetric.FEATURE, feature.name, usual[:, place], now[:, place])

    def _scores(self, week: DayWindow) -> Iterator[Measure]:
        verdicts = self._table(lake.CORE_VERDICTS)
        usual, now = verdicts.where(week.contains()), verdicts.where(self._is_day())
        yield alert_rate_measure(alerts_of(usual), alerts_of(now))
        for row in most_frequent(now, "mode")[:1]:
            # Scores of different modes are not comparable.
            same = F.col("mode") == F.lit(row.mode)
            name = f"score {row.mode}"
            yield index_measure(
                DriftMetric.SCORE, name, scores(usual.where(same)), scores(now.where(same))
            )
        current, before = model_scores(now), model_scores(usual)
        for row in most_frequent(current, "model", "version"):
            same = (F.col("model") == row.model) & (F.col("version") == row.version)
            name = f"{row.model} {row.version}"
            yield index_measure(
                DriftMetric.SCORE, name, scores(before.where(same)), scores(current.where(same))
            )

    def _performance(self) -> Iterator[tuple[Measure, DayWindow]]:
        """Compare seven days that are past the label delay with the weeks before."""
        newest = self.day - timedelta(days=self.label_delay_days - 1)
        now = days_before(newest, WEEK, "old enough for labels")
        usual = days_before(now.first, _LABELLED_AGAINST_DAYS, "before those that are measured")
        both = DayWindow(usual.first, now.last, "")
        labels = labels_known_by(self._table(lake.CORE_LABELS), Days(self.day, self.day).until_ms)
        scored = scored_purchases(
            self._table(lake.CORE_TRANSACTIONS).where(both.contains()),
            self._table(lake.CORE_VERDICTS).where(both.contains()),
            labels,
        ).persist()
        try:
            for what, share_of in (
                (DriftMetric.PRECISION, precision_of),
                (DriftMetric.RECALL, recall_of),
            ):
                shares = (share_of(scored.where(window.contains())) for window in (usual, now))
                yield performance_measure(what, *shares), usual
        finally:
            scored.unpersist()

    def _is_day(self) -> Column:
        return F.col("event_on") == F.lit(self.day)

    def _table(self, name: str) -> DataFrame:
        return self.spark.table(f"{lake.DATABASE}.{name}")


def trained_on(models_folder: Path, day: date) -> DayWindow | None:
    """Return the training days of the supervised champion; None without one or if they overlap."""
    pointer = models_folder / POINTER_NAME
    try:
        named = parse_pointer(pointer.read_bytes()) if pointer.exists() else Pointer()
        champion = named.models.get(ModelKind.XGBOOST)
        if champion is None:
            return None
        about = read_artefact(models_folder, champion).about
    except (FileNotFoundError, BrokenModel) as error:
        log.warning("the champion's training days are unknown: %s", error)
        return None
    first, last = (date.fromisoformat(day_of(at)) for at in (about.from_ms, about.until_ms - 1))
    if first > last or last >= day:
        return None
    return DayWindow(first, last, f"on which {champion[:12]} was trained")
