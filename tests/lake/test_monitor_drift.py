from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.adapters.artefacts.model_pointer import point_to
from fraudwatch.adapters.codecs.log_fold import packed
from fraudwatch.domain.evaluation.calibration import brier_score, calibration_slope
from fraudwatch.domain.evaluation.drift import DriftMetric, DriftStatus, Measure, Share
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.instants import day_of
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, Normal
from fraudwatch.topics import FEATURES_VERSION_HEADER, TRANSACTION_ID_HEADER
from spark_jobs.days import Days
from spark_jobs.drift.day import DayDrift, trained_on
from spark_jobs.drift.day_metrics import send_quality
from spark_jobs.drift.monitor_drift import document_of, save_drift
from spark_jobs.drift.quality import calibration_of, days_of_age, quality_by_age
from spark_jobs.drift.rows import DayWindow
from spark_jobs.marts.judged import scored_purchases

USUAL, SHIFTED = date(2033, 6, 30), date(2033, 9, 30)
ITEMS, AMOUNT = VECTOR_INDEX["item_count"], VECTOR_INDEX["amount_eur_cents"]
VERDICTS = """transaction_id STRING, outcome STRING, score DOUBLE, mode STRING,
  model_scores ARRAY<STRUCT<model: STRING, version: STRING, score: DOUBLE>>,
  decided_at_ms BIGINT, event_on DATE"""
VECTORS = """key STRING, value BINARY, headers ARRAY<STRUCT<key: STRING, value: BINARY>>,
  produced_on DATE"""
PURCHASES = "transaction_id STRING, event_at_ms BIGINT, event_on DATE"
LABELS = """transaction_id STRING, verdict STRING, source STRING, by STRING, known_at_ms BIGINT,
  known_on DATE"""


def served(spark: SparkSession, day: date, rows: int, *, is_far: bool = False) -> None:
    """Write a day's verdicts and vectors as the stream does; shifted ones have other amounts."""
    chance = np.random.default_rng(day.toordinal())
    vectors = chance.lognormal(size=(rows, len(VECTOR_FEATURES)))
    vectors[::5, AMOUNT + 1 :] = np.nan
    scores = chance.beta(1, 20, rows)
    alerts = chance.uniform(size=rows) < (0.3 if is_far else 0.05)
    if is_far:
        vectors[:, ITEMS] *= 4
        scores = np.minimum(1.0, scores * 4)
    names = [f"d:{day}:{number}" for number in range(rows)]
    outcomes = ["review" if alert else "approve" for alert in alerts]
    by_model = [[("fraud", "aaaaaaaaaaaa", score)] for score in scores.tolist()]
    verdicts = [
        (name, outcome, score, "with_model", models, 0, day)
        for name, outcome, score, models in zip(
            names, outcomes, scores.tolist(), by_model, strict=True
        )
    ]
    append(spark, lake.CORE_VERDICTS, verdicts, VERDICTS)
    named = zip(names, packed(vectors), strict=True)
    rows_served = [("k", value, headers(name), day) for name, value in named]
    append(spark, lake.RAW_FEATURE_TOPIC, rows_served, VECTORS)


def decided(spark: SparkSession, day: date, *, frauds: int, rows: int = 60) -> None:
    """Write alerts that an analyst decided on the next day."""
    names = [f"d:{day}:decided:{number}" for number in range(rows)]
    at_ms = Days(day, day).from_ms
    append(spark, lake.CORE_TRANSACTIONS, [(name, at_ms, day) for name in names], PURCHASES)
    append(
        spark, lake.CORE_VERDICTS,
        [(name, "review", 0.6, "rules_only", [], at_ms, day) for name in names], VERDICTS,
    )  # fmt: skip
    labels = ["fraud"] * frauds + ["genuine"] * (rows - frauds)
    known_on = day + timedelta(days=1)
    append(
        spark, lake.CORE_LABELS,
        [
            (name, word, "analyst", "ann", at_ms + 1, known_on)
            for name, word in zip(names, labels, strict=True)
        ],
        LABELS,
    )  # fmt: skip


def headers(name: str) -> list[tuple[str, bytes]]:
    version = features_version().encode()
    return [(TRANSACTION_ID_HEADER, name.encode()), (FEATURES_VERSION_HEADER, version)]


def append(spark: SparkSession, table: str, rows: list[tuple[Any, ...]], schema: str) -> None:
    spark.createDataFrame(rows, schema).coalesce(1).writeTo(f"{lake.DATABASE}.{table}").append()


@pytest.fixture(scope="module", autouse=True)
def world(spark: SparkSession) -> Iterator[None]:
    for last in (USUAL, SHIFTED):
        for before in (1, 4):
            served(spark, last - timedelta(days=before), 800)
        served(spark, last, 1_500, is_far=last is SHIFTED)
        decided(spark, last - timedelta(days=20), frauds=48)
        decided(spark, last - timedelta(days=5), frauds=15 if last is SHIFTED else 47)
    yield
    for table in (lake.CORE_VERDICTS, lake.CORE_TRANSACTIONS, lake.CORE_LABELS):
        spark.sql(f"DELETE FROM {table} WHERE transaction_id LIKE 'd:%'")  # noqa: S608  our names
    spark.sql(f"DELETE FROM {lake.RAW_FEATURE_TOPIC} WHERE produced_on > '2033-01-01'")  # noqa: S608  our names
    spark.sql(f"DELETE FROM {lake.CORE_DRIFT} WHERE event_on > '2033-01-01'")  # noqa: S608  our names


def past(measures: list[Measure]) -> set[str]:
    return {one.name for one in measures if one.judgement is DriftStatus.PAST_BOUND}


def test_a_usual_day_is_quiet(spark: SparkSession) -> None:
    measured = DayDrift(spark=spark, day=USUAL, label_delay_days=3).measure()
    measures = [one for one, _ in measured]
    assert past(measures) == set()
    assert len(measures) == len(VECTOR_FEATURES) + 1 + 1 + 1 + 2
    indexes = [one for one in measures if one.what is DriftMetric.FEATURE]
    assert {(one.rows, one.reference_rows) for one in indexes} == {(1_500, 1_600)}
    document = document_of(USUAL, measures)
    assert document["model_wanted"] is False
    assert "nothing is past its bound" in document["said"]


def test_a_shifted_day_is_stored_and_wants_a_model(spark: SparkSession) -> None:
    measured = DayDrift(spark=spark, day=SHIFTED, label_delay_days=3).measure()
    measures = [one for one, _ in measured]
    wanted = {"item_count", "alert_rate", "score with_model", "fraud aaaaaaaaaaaa", "precision"}
    assert past(measures) == wanted
    [precision] = [one for one in measures if one.what is DriftMetric.PRECISION]
    assert (precision.value, precision.reference_value) == (0.25, 0.8)
    document = document_of(SHIFTED, measures)
    assert (document["model_wanted"], set(document["past_bound"])) == (True, wanted)
    assert json.loads(json.dumps(document)) == document

    for _ in range(2):
        save_drift(spark, SHIFTED, measured, began_at_ms=1)
    rows = spark.table(lake.CORE_DRIFT).where(F.col("event_on") == F.lit(SHIFTED)).collect()
    assert len(rows) == len(measured)
    by_name = {row["name"]: row for row in rows}
    assert by_name["item_count"].judgement == "past_bound"
    assert "PSI" in by_name["item_count"].said
    assert by_name["day_of_week"].judgement == "not_judged"
    assert "the days before" in by_name["item_count"].reference


def test_features_are_compared_with_the_champions_training_days(
    spark: SparkSession, tmp_path: Path
) -> None:
    first, last = (SHIFTED - timedelta(days=before) for before in (4, 1))
    assert trained_on(tmp_path, SHIFTED) is None
    about = ModelMetadata(
        kind=ModelKind.XGBOOST, features=("item_count",), features_version="any", fitted_at_ms=1,
        rows=1, from_ms=Days(first, first).from_ms, until_ms=Days(last, last).until_ms,
    )  # fmt: skip
    normal = Normal(np.zeros(1), np.zeros(1))
    point_to(tmp_path, ModelKind.XGBOOST, write_artefact(tmp_path, Artefact(about, normal, {})))
    window = trained_on(tmp_path, SHIFTED)
    assert window is not None
    assert (window.first, window.last) == (first, last)
    assert day_of(about.from_ms) == first.isoformat()
    assert trained_on(tmp_path, last) is None, "a day of the training itself"
    few = DayDrift(
        spark=spark,
        day=SHIFTED,
        label_delay_days=3,
        trained_on=DayWindow(first, first, "one day"),
    ).measure()
    [items] = [one for one, _ in few if one.name == "item_count"]
    assert items.judgement is DriftStatus.TOO_FEW_ROWS
    assert items.reference_rows == 800


def test_quality_by_the_age_of_labels(spark: SparkSession) -> None:
    scored = scored_of(spark)
    # Decided 20 and 5 days before the last day: 48 and 15 frauds among 60 alerts.
    found = quality_by_age(scored, SHIFTED, (3, 15, 30))
    assert found[3].precision == Share(15, 60)
    assert found[3].recall == Share(15, 15)
    assert found[3].false_positives == Share(45, 45)
    assert found[15].precision == Share(48, 60)
    assert found[30].precision == Share(0, 0)
    assert days_of_age(SHIFTED, 3).last == SHIFTED - timedelta(days=3)


def test_calibration_is_that_of_the_domain(spark: SparkSession) -> None:
    chance = np.random.default_rng(7)
    score = chance.uniform(size=200)
    is_fraud = chance.uniform(size=200) < score * 0.8
    scores = score.tolist()
    names = [f"d:calibrated:{number}" for number in range(200)]
    labelled = list(zip(names, is_fraud.tolist(), strict=True))
    unlabelled = ["d:unlabelled", "d:declined", "d:unpaid"]
    transactions = spark.createDataFrame(
        [(name, "approved", fraud, False) for name, fraud in labelled]
        + [("d:unlabelled", "approved", None, False), ("d:declined", "approved", None, True),
           ("d:unpaid", "declined", None, False)],
        "transaction_id STRING, payment_status STRING, is_fraud BOOLEAN, is_declined BOOLEAN",
    )  # fmt: skip
    verdicts = spark.createDataFrame(
        [(name, "with_model", "c0ffee", one) for name, one in zip(names, scores, strict=True)]
        + [(name, "with_model", "c0ffee", 0.9) for name in unlabelled]
        + [(names[0], "rules_only", "", 0.5)],
        "transaction_id STRING, mode STRING, calibration STRING, score DOUBLE",
    )  # fmt: skip
    known, truth = np.append(score, 0.9), np.append(is_fraud, False)
    found = calibration_of(transactions, verdicts)
    assert found.brier == pytest.approx(brier_score(known, truth))
    assert found.slope == pytest.approx(calibration_slope(known, truth))
    few = calibration_of(transactions, verdicts.limit(3))
    assert (few.brier is not None, few.slope) == (True, None)


def test_a_day_is_sent_as_metrics(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(1)
        monkeypatch.setenv("STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("STATSD_PORT", str(opened.getsockname()[1]))
        send_quality(spark, SHIFTED, 3)
        lines = [opened.recv(500).decode() for _ in range(3)]
    # No purchase is as old as the other ages, and none was scored with a calibration.
    assert lines == [
        "fraudwatch_quality_precision_ratio,label_age=3d:0.25|g",
        "fraudwatch_quality_recall_ratio,label_age=3d:1.0|g",
        "fraudwatch_quality_false_positive_ratio,label_age=3d:1.0|g",
    ]


def scored_of(spark: SparkSession) -> DataFrame:
    tables = (lake.CORE_TRANSACTIONS, lake.CORE_VERDICTS, lake.CORE_LABELS)
    transactions, verdicts, labels = (spark.table(f"{lake.DATABASE}.{name}") for name in tables)
    return scored_purchases(transactions, verdicts, labels)
