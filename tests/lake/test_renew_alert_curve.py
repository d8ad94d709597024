"""Renew the curves of an active calibration from archived verdicts on real Spark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from fraudwatch import lake
from fraudwatch.adapters.artefacts.calibration_artefact import read_calibration, write_calibration
from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.adapters.artefacts.model_pointer import locked_pointer, point_to
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, Normal
from spark_jobs.calibrate.renew_alert_curve import document_of
from spark_jobs.calibrate.renewal import RenewalOutcome, renew
from spark_jobs.days import Days
from tests.calibrations import write_a_calibration

LAST = date(2034, 5, 10)
A_DAY = 100
FOREST = "f" * 64
VERDICTS = """transaction_id STRING, outcome STRING, score DOUBLE, mode STRING, calibration STRING,
  rules ARRAY<STRUCT<rule: STRING, points: BIGINT>>,
  model_scores ARRAY<STRUCT<model: STRING, version: STRING, score: DOUBLE>>,
  event_at_ms BIGINT, event_on DATE"""


def a_model(folder: Path, fitted_at_ms: int) -> str:
    """Write and activate a classifier with a calibration."""
    about = ModelMetadata(
        kind=ModelKind.XGBOOST, features=("item_count",), features_version="today",
        fitted_at_ms=fitted_at_ms, rows=1, from_ms=0, until_ms=1, label_delay_days=3,
    )  # fmt: skip
    sha256 = write_artefact(folder, Artefact(about, Normal(np.zeros(1), np.zeros(1)), {}))
    calibration = write_a_calibration(folder, sha256, fitted_at_ms=fitted_at_ms)
    point_to(folder, ModelKind.XGBOOST, sha256, calibration=calibration)
    return sha256


@pytest.fixture(scope="module")
def active(tmp_path_factory: pytest.TempPathFactory) -> str:
    return a_model(tmp_path_factory.mktemp("hash"), 1)


@pytest.fixture
def folder(tmp_path: Path, active: str) -> Path:
    assert a_model(tmp_path, 1) == active
    return tmp_path


def scored(spark: SparkSession, day: date, version: str, *, by_rules: int = 0) -> None:
    """Write a day's verdicts: scores from 0 to .99, one rule among ten purchases."""
    rows = [
        (
            f"n:{day}:{number}", "approve", number / A_DAY,
            "rules_only" if number < by_rules else "with_model",
            "" if number < by_rules else "c" * 12,
            [("impossible_travel", 80), ("bulk_buying", 50)] if number % 10 == 0 else [],
            [("anomaly", FOREST[:12], number / A_DAY), ("fraud", version, 0.5)],
            Days(day, day).from_ms + number, day,
        )
        for number in range(A_DAY)
    ]  # fmt: skip
    spark.createDataFrame(rows, VERDICTS).coalesce(1).writeTo(
        f"{lake.DATABASE}.{lake.CORE_VERDICTS}"
    ).append()


@pytest.fixture(scope="module", autouse=True)
def world(spark: SparkSession, active: str) -> Iterator[None]:
    """Write four days by the active model, one of which is half by rules, after other models'."""
    for back, version in enumerate([active[:12]] * 4 + ["0" * 12] * 2):
        scored(spark, LAST - timedelta(days=back), version, by_rules=A_DAY // 2 * (back == 1))
    scored(spark, LAST + timedelta(days=1), active[:12])
    yield
    spark.sql(f"DELETE FROM {lake.CORE_VERDICTS} WHERE transaction_id LIKE 'n:2034%'")  # noqa: S608


def calibration_in(folder: Path) -> Calibration:
    with locked_pointer(folder) as pointer:
        return read_calibration(folder, pointer.calibration or "")


def test_curves_of_the_days_that_the_model_scored_replace_the_older_ones(
    spark: SparkSession, folder: Path, active: str
) -> None:
    before = calibration_in(folder)
    found = renew(spark, folder, LAST, now_ms=5_000)
    assert found.outcome is RenewalOutcome.RENEWED, found.because
    assert (found.days, found.counted.rows_out) == (3, 3 * A_DAY)
    assert found.counted.rejected == {"not_of_a_whole_day": 3 * A_DAY}
    after = calibration_in(folder)
    assert found.calibration is not None
    assert found.calibration.startswith(after.version)
    assert after.fitted_at_ms == 5_000
    assert after.alert_curve.days == 3
    assert after.alert_curve.alerts_a_day(0.9, frozenset()) == 10
    assert after.alert_curve.floors_a_day({"bulk_buying"}) == 10
    assert after.novelty_curve is None  # no forest is active
    assert after.model_sha256 == active
    np.testing.assert_array_equal(after.calibrator.log_odds, before.calibrator.log_odds)
    np.testing.assert_array_equal(after.labelled_curve.honest, before.labelled_curve.honest)
    document = document_of(LAST, found)
    assert (document["outcome"], document["purchases"]) == ("renewed", 3 * A_DAY)


def test_anomalies_of_the_active_forest_make_the_novelty_curve(
    spark: SparkSession, folder: Path
) -> None:
    point_to(folder, ModelKind.ISOLATION_FOREST, FOREST)
    assert renew(spark, folder, LAST, now_ms=5_000).outcome is RenewalOutcome.RENEWED
    after = calibration_in(folder)
    assert after.forest_sha256 == FOREST
    assert after.novelty_curve is not None
    # Scores below .05 are harmless; their anomalies are 0 to .04.
    assert after.novelty_curve.alerts_a_day(0.03) == 2


def test_too_few_days_change_nothing(spark: SparkSession, folder: Path) -> None:
    before = calibration_in(folder).version
    found = renew(spark, folder, LAST - timedelta(days=2), now_ms=5_000)
    assert found.outcome is RenewalOutcome.NOT_ENOUGH_DAYS
    assert "not enough days" in found.because
    assert found.days == 2
    assert calibration_in(folder).version == before


def test_without_a_model_there_is_nothing_to_renew(spark: SparkSession, tmp_path: Path) -> None:
    found = renew(spark, tmp_path, LAST, now_ms=5_000)
    assert found.outcome is RenewalOutcome.NO_MODEL
    assert not list(tmp_path.glob("*.npz"))


def test_a_model_that_was_promoted_meanwhile_keeps_its_own_calibration(
    spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written_late(folder: Path, calibration: Calibration) -> str:
        a_model(folder, 2)
        return write_calibration(folder, calibration)

    monkeypatch.setattr("spark_jobs.calibrate.renewal.write_calibration", written_late)
    found = renew(spark, folder, LAST, now_ms=5_000)
    assert found.outcome is RenewalOutcome.MODEL_CHANGED
    assert "was not renewed" in found.because
    assert calibration_in(folder).fitted_at_ms == 2
