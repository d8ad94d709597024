from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from fraudwatch import lake
from fraudwatch.domain.evaluation.labelled_alerts import current_labels, decided_by_analysts
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.label import Label, LabelValue, Source
from spark_jobs.days import Days
from spark_jobs.marts.build_reports import build
from spark_jobs.marts.fraud import GROUPED_BY
from spark_jobs.marts.judged import current_labels as standing_in_spark

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
DAY = date(2031, 3, 1)  # this file's own days
DAYS = Days(DAY, DAY + timedelta(days=1))
NOON_MS = DAYS.from_ms + 12 * HOUR_MS
LATER_MS = NOON_MS + 30 * DAY_MS

TRANSACTIONS = """transaction_id STRING, customer_token STRING, event_at_ms BIGINT,
  amount_eur_cents BIGINT,
  payment_status STRING, merchant_id STRING, category STRING, merchant_country STRING,
  origin STRING, event_on DATE"""
VERDICTS = """transaction_id STRING, outcome STRING, decided_at_ms BIGINT, event_on DATE,
  rules ARRAY<STRUCT<rule: STRING, points: BIGINT>>, is_control BOOLEAN, score DOUBLE,
  calibration STRING"""
LABELS = """transaction_id STRING, verdict STRING, source STRING, by STRING, known_at_ms BIGINT,
  known_on DATE"""


def a_row(number: int, cents: int, **changes: Any) -> tuple[Any, ...]:
    usual = {
        "id": f"m:{number}", "customer": f"c-{number}", "at": NOON_MS, "cents": cents,
        "status": "approved",
        "merchant": "m-1", "category": "toys", "country": "DE", "origin": "log", "on": DAY,
    } | changes  # fmt: skip
    return tuple(usual.values())


def a_verdict(
    number: int,
    outcome: str,
    *rules: tuple[str, int],
    is_control: bool | None = None,
    score: float = 0.5,
    calibration: str = "",
) -> tuple[Any, ...]:
    return f"m:{number}", outcome, NOON_MS + 100, DAY, list(rules), is_control, score, calibration


def a_label(number: int, verdict: str, source: str, after_ms: int, by: str = "bank") -> Any:
    at_ms = NOON_MS + 100 + after_ms
    on = date(1970, 1, 1) + timedelta(milliseconds=at_ms)
    return f"m:{number}", verdict, source, by, at_ms, on


PURCHASES = [
    a_row(1, 1_000),  # declined, an analyst says fraud
    a_row(2, 2_000),  # declined, an analyst says genuine
    a_row(3, 4_000),  # declined, nobody says anything
    a_row(4, 8_000, country="FR", at=NOON_MS + HOUR_MS),  # in review, the bank says fraud
    a_row(5, 16_000),  # approved, the bank says fraud
    a_row(6, 32_000, category=None),  # approved, nothing known
    a_row(7, 64_000, status="declined"),  # approved and fraud, but the payment was refused
    a_row(8, 128_000, origin="extract", merchant="m-2"),  # the stream never saw it
    a_row(9, 256_000, merchant="m-2"),  # no verdict yet
    a_row(10, 512_000, merchant="m-3"),  # challenged, the bank says fraud
    a_row(11, 1_000, merchant="m-3"),  # control group, an analyst says genuine
    a_row(12, 1_000, merchant="m-3"),  # control group, nothing known
]
SCORED = [
    a_verdict(
        1, "decline", ("high_amount", 50), ("deny_list", 60), score=0.8, calibration="abc123"
    ),
    a_verdict(2, "decline", ("high_amount", 50)),
    a_verdict(3, "decline", ("high_amount", 50)),
    a_verdict(4, "review", ("card_testing", 40), score=0.65, calibration="abc123"),
    a_verdict(5, "approve", ("high_amount", 50)),
    a_verdict(6, "approve", score=0.0004, calibration="abc123"),
    a_verdict(7, "approve"),
    a_verdict(10, "challenge"),
    a_verdict(11, "review", is_control=True),
    a_verdict(12, "review", is_control=True),
]
LABEL_ROWS = [
    a_label(1, "unsure", "analyst", 10 * MINUTE_MS, "ann"),
    a_label(1, "fraud", "analyst", 30 * MINUTE_MS, "ann"),
    a_label(2, "genuine", "analyst", 20 * MINUTE_MS, "ann"),
    a_label(4, "fraud", "chargeback", DAY_MS),
    a_label(5, "fraud", "chargeback", DAY_MS),
    a_label(7, "fraud", "chargeback", DAY_MS),
    a_label(10, "fraud", "chargeback", DAY_MS),
    a_label(11, "genuine", "analyst", 20 * MINUTE_MS, "ann"),
    a_label(5, "genuine", "analyst", 0, "ben"),  # the bank says otherwise later
    a_label(6, "genuine", "analyst", 60 * DAY_MS, "ben"),  # after the report
]
REFUNDED = [
    ("r:1", "m:4", 3_000, DAY),
    ("r:2", "m:4", 1_000, DAY),
    ("r:3", "m:5", 99_000, DAY),  # more than was paid
    ("r:4", "m:7", 64_000, DAY),  # its payment was refused: no money moved
    ("r:5", "m:unknown", 5_000, DAY),
]
REJECTED = [("extract:x:1", "unknown_currency", "r", DAY), ("extract:x:2", "too_long", "r", DAY),
            ("extract:x:3", "too_long", "r", DAY)]  # fmt: skip
ARCHIVED = [(0, 0, NOON_MS, DAY), (0, 1, NOON_MS + 6 * HOUR_MS, DAY)]


@pytest.fixture(scope="module")
def reports(spark: SparkSession) -> Iterator[dict[str, list[Row]]]:
    _append(spark.createDataFrame(PURCHASES, TRANSACTIONS), lake.CORE_TRANSACTIONS)
    _append(spark.createDataFrame(SCORED, VERDICTS), lake.CORE_VERDICTS)
    _append(spark.createDataFrame(LABEL_ROWS, LABELS), lake.CORE_LABELS)
    refunds = "refund_id STRING, transaction_id STRING, amount_eur_cents BIGINT, purchased_on DATE"
    _append(spark.createDataFrame(REFUNDED, refunds), lake.CORE_REFUNDS)
    rejected = "origin STRING, code STRING, reason STRING, event_on DATE"
    _append(spark.createDataFrame(REJECTED, rejected), lake.CORE_REJECTED_PURCHASES)
    archived = "source_partition INT, source_offset BIGINT, ms BIGINT, produced_on DATE"
    _append(
        spark.createDataFrame(ARCHIVED, archived).selectExpr(
            "source_partition", "source_offset", "timestamp_millis(ms) produced_at", "produced_on"
        ),
        lake.RAW_TRANSACTION_TOPIC,
    )
    outcome = build(spark, DAYS, LATER_MS)
    assert (outcome.rows_in, outcome.from_ms) == (12, DAYS.from_ms)
    yield {table: _rows(spark, table) for table in lake.REPORT_DAYS}
    stored = (lake.CORE_TRANSACTIONS, lake.CORE_VERDICTS, lake.CORE_LABELS, lake.CORE_REFUNDS)
    for table in stored:
        spark.sql(f"DELETE FROM {table} WHERE transaction_id LIKE 'm:%'")  # noqa: S608  our names
    spark.sql(f"DELETE FROM {lake.RAW_TRANSACTION_TOPIC} WHERE produced_on = '{DAY}'")  # noqa: S608  our names


def _append(rows: DataFrame, table: str) -> None:
    rows.writeTo(f"{lake.DATABASE}.{table}").append()


def _rows(spark: SparkSession, table: str) -> list[Row]:
    return spark.table(table).where(DAYS.contains(lake.REPORT_DAYS[table])).collect()


def test_a_day_counts_what_is_known_and_leaves_the_rest_unknown(
    reports: dict[str, list[Row]],
) -> None:
    [day] = reports[lake.OUT_FRAUD_BY_DAY]
    assert (day.purchases, day.amount_eur_cents) == (12, 1_025_000)
    assert day.refunded_eur_cents == 4_000 + 16_000 + 64_000
    assert (day.judged, day.alerts) == (10, 7)
    assert (day.reviewed, day.challenged, day.declined) == (3, 1, 3)
    assert (day.known_fraud, day.known_genuine, day.known_fraud_eur_cents) == (5, 2, 601_000)
    # Only decided alerts count for precision: 1 of 3.
    assert (day.alerts_decided, day.alerts_decided_fraud) == (3, 1)
    assert day.precision_ratio == pytest.approx(1 / 3)
    assert (day.alerts_known_fraud, day.recall_ratio) == (3, 0.6)
    assert (day.control, day.control_decided, day.control_decided_fraud) == (2, 1, 0)
    assert day.decline_precision_ratio == 0.0
    assert epoch_ms_of(day.labels_known_until.astimezone()) == LATER_MS


def test_groups_hold_the_same_counts_and_unknown_is_null(reports: dict[str, list[Row]]) -> None:
    by_country = {row.merchant_country: row for row in reports[lake.OUT_FRAUD_BY_COUNTRY]}
    assert by_country["FR"].recall_ratio == 1.0
    assert by_country["FR"].precision_ratio is None  # without any decision
    by_hour = {row.hour_of_day: row.purchases for row in reports[lake.OUT_FRAUD_BY_HOUR]}
    assert by_hour == {12: 11, 13: 1}
    by_category = {row.category: row.purchases for row in reports[lake.OUT_FRAUD_BY_CATEGORY]}
    assert by_category == {"toys": 11, None: 1}
    by_merchant = {row.merchant_id: row for row in reports[lake.OUT_FRAUD_BY_MERCHANT]}
    assert by_merchant["m-1"].control == 0
    assert by_merchant["m-1"].decline_precision_ratio is None  # not measurable
    [unjudged] = [r for r in reports[lake.OUT_FRAUD_BY_MERCHANT] if r.merchant_id == "m-2"]
    assert (unjudged.purchases, unjudged.judged) == (2, 0)
    assert (unjudged.alerts, unjudged.declined, unjudged.recall_ratio) == (None, None, None)


def test_every_row_names_its_source_and_its_customers(reports: dict[str, list[Row]]) -> None:
    for table in (*GROUPED_BY, lake.OUT_RULE_PERFORMANCE, lake.OUT_MONEY, lake.OUT_CALIBRATION):
        assert {row.source for row in reports[table]} == {"m"}, table
        assert all(0 < row.customers <= row.customers_of_week for row in reports[table]), table
    [day] = reports[lake.OUT_FRAUD_BY_DAY]
    assert day.customers == 12
    by_category = {row.category: row.customers for row in reports[lake.OUT_FRAUD_BY_CATEGORY]}
    assert by_category == {"toys": 11, None: 1}


def test_the_calibrated_probabilities_add_up_to_the_expected_frauds(
    reports: dict[str, list[Row]],
) -> None:
    by_band = {row.probability_from: row for row in reports[lake.OUT_CALIBRATION]}
    assert by_band.keys() == {0.0, 0.6}  # verdicts of rules alone have no probability
    high = by_band[0.6]
    assert (high.scored, high.known_fraud, high.known_genuine) == (2, 2, 0)
    assert high.expected_fraud == pytest.approx(1.45)
    assert high.calibration == "abc123"


def test_a_rules_precision_is_over_decided_purchases(reports: dict[str, list[Row]]) -> None:
    by_rule = {row.rule: row for row in reports[lake.OUT_RULE_PERFORMANCE]}
    high = by_rule["high_amount"]
    assert (high.hits, high.hits_known_fraud, high.hits_known_genuine) == (4, 2, 1)
    assert (high.hits_decided, high.precision_ratio) == (3, pytest.approx(2 / 3))
    assert (high.points, high.sole_hit_alerts) == (200, 2)
    assert by_rule["card_testing"].precision_ratio is None


def test_an_analysts_day(reports: dict[str, list[Row]]) -> None:
    by_analyst = {row.analyst: row for row in reports[lake.OUT_ANALYST_WORKLOAD]}
    ann = by_analyst["ann"]
    assert (ann.decisions, ann.fraud, ann.genuine, ann.unsure) == (4, 1, 2, 1)
    assert ann.median_minutes_to_decision == 20.0
    # Ben decided a purchase without alert: no waiting time.
    assert by_analyst["ben"].median_minutes_to_decision is None


def test_money_is_counted_where_money_moved(reports: dict[str, list[Row]]) -> None:
    [day] = reports[lake.OUT_MONEY]
    assert (day.judged_eur_cents, day.blocked_eur_cents) == (577_000, 7_000)
    assert (day.saved_eur_cents, day.saved_unconfirmed_eur_cents) == (1_000, 4_000)
    assert (day.wrongly_blocked_eur_cents, day.reviewed_fraud_eur_cents) == (2_000, 8_000)
    assert (day.missed_eur_cents, day.challenged_fraud_eur_cents) == (16_000, 512_000)
    assert day.labelled == 6
    assert day.refunded_eur_cents == 4_000 + 16_000
    assert day.value_recall_ratio == pytest.approx(521_000 / 537_000)


def test_health_has_a_row_for_a_day_without_data(reports: dict[str, list[Row]]) -> None:
    busy, empty = sorted(reports[lake.OUT_PIPELINE_HEALTH])
    assert (busy.transactions_from_log, busy.transactions_from_extract) == (11, 1)
    assert (busy.verdicts, busy.missing_verdicts, busy.purchases_rejected) == (10, 1, 3)
    assert json.loads(busy.rejected_by_code) == {"too_long": 2, "unknown_currency": 1}
    assert busy.minutes_behind == 6 * 60
    assert (empty.transactions_from_log, empty.verdicts, empty.rejected_by_code) == (0, 0, "{}")
    assert (empty.archived_until, empty.minutes_behind) == (None, None)


def test_a_second_run_replaces_the_first_and_touches_no_other_day(
    spark: SparkSession, reports: dict[str, list[Row]]
) -> None:
    before = date(2031, 2, 28)
    spark.sql(f"INSERT INTO out_money (event_on, labelled) VALUES (DATE'{before}', 7)")  # noqa: S608  our names
    # A week later the bank knows of one more fraud.
    _append(spark.createDataFrame([a_label(3, "fraud", "chargeback", 7 * DAY_MS)], LABELS),
            lake.CORE_LABELS)  # fmt: skip
    build(spark, DAYS, LATER_MS + DAY_MS)
    [day] = _rows(spark, lake.OUT_MONEY)
    assert day.saved_eur_cents == 5_000
    assert len(_rows(spark, lake.OUT_FRAUD_BY_HOUR)) == len(reports[lake.OUT_FRAUD_BY_HOUR])
    [kept] = spark.table(lake.OUT_MONEY).where(f"event_on = DATE'{before}'").collect()
    assert kept.labelled == 7


def test_spark_resolves_labels_as_the_domain_does(spark: SparkSession) -> None:
    given = [
        ("a", "fraud", "analyst", 1), ("a", "genuine", "analyst", 2),
        ("b", "fraud", "chargeback", 5), ("b", "genuine", "analyst", 5),
        ("c", "unsure", "analyst", 9), ("c", "fraud", "analyst", 8),
        ("c", "fraud", "chargeback", 1),
        ("d", "unsure", "analyst", 3),
        ("e", "genuine", "analyst", 4), ("e", "fraud", "analyst", 4),
        ("f", "genuine", "chargeback", 6), ("f", "fraud", "analyst", 7),
        ("g", "fraud", "chargeback", 1), ("g", "genuine", "won_dispute", 2),
        ("h", "fraud", "analyst", 4), ("h", "genuine", "friendly_fraud", 4),
    ]  # fmt: skip
    labels = [
        Label(schema="label.v1", transaction_id=i, verdict=LabelValue(v), source=Source(s), by="x",
              known_at_ms=at)
        for i, v, s, at in given
    ]  # fmt: skip
    rows = spark.createDataFrame(
        given, "transaction_id STRING, verdict STRING, source STRING, known_at_ms BIGINT"
    )
    found = {row.transaction_id: row for row in standing_in_spark(rows).collect()}
    current = current_labels(labels)
    assert {name: row.is_fraud for name, row in found.items()} == {
        name: label is LabelValue.FRAUD for name, label in current.items()
    }
    decided = {label.transaction_id for label in decided_by_analysts(labels)}
    assert {name for name, row in found.items() if row.is_decided} == decided
