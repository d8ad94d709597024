"""Risk views on real Spark, compared with the same rules in plain Python."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.artefacts.view_artefact import VIEW_FILES, view_of
from fraudwatch.adapters.artefacts.view_publication import LIST_NAME, parse_list
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS
from fraudwatch.domain.views.catalogue import (
    KEPT_VIEWS,
    PLAIN_FRAUD_DAYS,
    SMOOTHING_PURCHASES,
    Entity,
)
from fraudwatch.domain.views.view import look_up
from fraudwatch.lake import (
    CORE_JOB_OUTCOMES,
    CORE_LABELS,
    CORE_RISK_VIEWS,
    CORE_TRANSACTIONS,
)
from spark_jobs.views.build_risk_views import JOB, build, until_ms_of, view_of_rows
from spark_jobs.views.rows import ViewHour, known_frauds, risk_view_rows
from tests.unit.domain.views.view_oracle import (
    LABEL_DELAY_MS,
    Bought,
    OracleLabel,
    a_world,
    oracle,
)

# Long before every other test's days, so that a view of these hours has no other data.
UNTIL_MS = int(datetime(2001, 6, 1, 10, tzinfo=UTC).timestamp() * 1000)
HOUR = ViewHour(UNTIL_MS, LABEL_DELAY_MS)
PURCHASE = (
    "transaction_id string, event_at_ms bigint, customer_token string, payment_status string, "
    "merchant_id string, device_token string, ip_network_token string, amount_eur_cents bigint"
)
LABEL = "transaction_id string, verdict string, known_at_ms bigint, source string, by string"


def a_purchase(name: str, **changes: Any) -> Bought:
    return Bought(name, UNTIL_MS - 10 * DAY_MS)._replace(**changes)


def a_label(name: str, verdict: str, known_at_ms: int, source: str = "chargeback") -> OracleLabel:
    return OracleLabel(name, verdict, known_at_ms, source)


def frames(
    spark: SparkSession, purchases: Sequence[Bought], labels: Sequence[OracleLabel]
) -> tuple[DataFrame, DataFrame]:
    return spark.createDataFrame(purchases, PURCHASE), spark.createDataFrame(labels, LABEL)


def built(
    spark: SparkSession, purchases: Sequence[Bought], labels: Sequence[OracleLabel]
) -> dict[tuple[str, str], dict[str, float]]:
    rows = risk_view_rows(*frames(spark, purchases, labels), HOUR).collect()
    no_value = {"entity", "entity_id", "built_until_ms", "valid_from_ms", "label_delay_ms"}
    assert len({(row.entity, row.entity_id) for row in rows}) == len(rows)
    return {
        (row.entity, row.entity_id): {
            name: value
            for name, value in row.asDict().items()
            if name not in no_value and value is not None
        }
        for row in rows
    }


# A Spark run costs seconds: few data sets, each with every edge case.
@pytest.mark.parametrize("seed", range(3))
def test_spark_agrees_with_plain_python(spark: SparkSession, seed: int) -> None:
    world = a_world(seed, UNTIL_MS)
    assert built(spark, *world) == oracle(*world, UNTIL_MS)


def test_no_purchases_give_an_empty_view(spark: SparkSession) -> None:
    assert built(spark, [], []) == {}
    rows = risk_view_rows(*frames(spark, [], []), HOUR)
    assert all(not len(table.keys) for table in view_of_rows(rows, HOUR).tables.values())


def test_a_label_counts_from_when_it_was_known(spark: SparkSession) -> None:
    purchases = [a_purchase(f"s:{n}") for n in range(4)]
    late, just = a_label("s:0", "fraud", UNTIL_MS), a_label("s:1", "fraud", UNTIL_MS - 1)
    ratio = built(spark, purchases, [late, just])["merchant_id", "m"]["merchant_fraud_ratio_30d"]
    assert ratio == (1 + SMOOTHING_PURCHASES * 0.25) / (4 + SMOOTHING_PURCHASES)


def test_a_young_purchase_is_neither_fraud_nor_genuine_yet(spark: SparkSession) -> None:
    young = a_purchase("s:0", event_at_ms=UNTIL_MS - LABEL_DELAY_MS)
    rows = built(spark, [young], [a_label("s:0", "fraud", UNTIL_MS - 1)])
    assert rows["merchant_id", "m"] == {
        **dict.fromkeys(("merchant_purchases_30d", "merchant_customers_30d"), 1),
        **{f"merchant_plain_frauds_{days}d": 0 for days in PLAIN_FRAUD_DAYS},
    }


def test_the_current_label_counts(spark: SparkSession) -> None:
    words = [
        a_label("s:mind changed", "fraud", 10, "analyst"),
        a_label("s:mind changed", "unsure", 20, "analyst"),
        a_label("s:tie of two sources", "genuine", 10, "analyst"),
        a_label("s:tie of two sources", "fraud", 10, "chargeback"),
        a_label("s:tie of one source", "fraud", 10, "analyst"),
        a_label("s:tie of one source", "genuine", 10, "analyst"),
        a_label("s:withdrawn", "fraud", 10, "chargeback"),
        a_label("s:withdrawn", "genuine", 20, "chargeback"),
        a_label("s:the bank is sure", "unsure", 20, "analyst"),
        a_label("s:the bank is sure", "fraud", 10, "chargeback"),
    ]
    _, labels = frames(spark, [], words)
    found = {row.transaction_id for row in known_frauds(labels, UNTIL_MS).collect()}
    assert found == {"s:tie of two sources", "s:the bank is sure"}


@pytest.fixture
def lake(spark: SparkSession) -> Iterator[SparkSession]:
    """Write three customers with one device, at a merchant with half of its purchases fraud."""
    purchases = [
        a_purchase(f"s:{n}", customer_token=f"c{n % 3}", device_token="d", merchant_id="bad")
        for n in range(6)
    ]
    words = [a_label(f"s:{n}", "fraud", UNTIL_MS - DAY_MS) for n in range(3)]
    bought, labels = frames(spark, purchases, words)
    day, known = F.timestamp_millis("event_at_ms"), F.timestamp_millis("known_at_ms")
    append(bought.withColumn("event_on", F.to_date(day)), CORE_TRANSACTIONS)
    append(labels.withColumn("known_on", F.to_date(known)), CORE_LABELS)
    yield spark
    for table, time in ((CORE_TRANSACTIONS, "event_at_ms"), (CORE_LABELS, "known_at_ms")):
        spark.sql(f"DELETE FROM {table} WHERE {time} < {UNTIL_MS}")  # noqa: S608  our own names
    spark.sql(f"DELETE FROM {CORE_RISK_VIEWS}")  # noqa: S608
    spark.sql(f"DELETE FROM {CORE_JOB_OUTCOMES} WHERE job = '{JOB}'")  # noqa: S608


def append(rows: DataFrame, table: str) -> None:
    wanted = rows.sparkSession.table(table).schema
    missing = {f.name: F.lit(None).cast(f.dataType) for f in wanted if f.name not in rows.columns}
    rows.withColumns(missing).select(wanted.names).write.format("delta").mode("append").saveAsTable(
        table
    )


def test_an_hour_is_built_published_and_built_again(lake: SparkSession, tmp_path: Path) -> None:
    report = build(lake, HOUR, tmp_path)
    view = view_of(VIEW_FILES.read(tmp_path, report.sha256))
    assert (report.purchases, report.labels, report.rows) == (6, 3, 5)
    at = np.array([UNTIL_MS + HOUR_MS])
    names = {
        Entity.MERCHANT: "bad",
        Entity.DEVICE: "d",
        Entity.IP_NETWORK: None,
        Entity.CUSTOMER: "c1",
    }
    (row,) = look_up(view, {entity: keys_of([name]) for entity, name in names.items()}, at)
    assert row.tolist()[:4] == [0.5, 6, 3, 3]
    assert math.isnan(row[4])
    assert row[5] == pytest.approx(10 + 1 / 24)
    rebuilt = build(lake, HOUR, tmp_path)
    assert (rebuilt.sha256, rebuilt.rows) == (report.sha256, report.rows)
    assert len(parse_list((tmp_path / LIST_NAME).read_bytes())) == 1
    runs = lake.table(CORE_JOB_OUTCOMES).where(f"job = '{JOB}' AND until_ms = {UNTIL_MS}")
    assert [row.asDict() for row in runs.select("rows_in", "rows_out").collect()] == [
        {"rows_in": 9, "rows_out": 5}
    ] * 2


def test_another_label_delay_builds_the_hour_anew(lake: SparkSession, tmp_path: Path) -> None:
    """Purchases are ten days old: with eleven days' delay none is old enough to be fraud."""
    first = build(lake, HOUR, tmp_path)
    other = build(lake, ViewHour(UNTIL_MS, 11 * DAY_MS), tmp_path)
    assert other.sha256 != first.sha256
    [listed] = parse_list((tmp_path / LIST_NAME).read_bytes())
    assert (listed.sha256, listed.label_delay_ms) == (other.sha256, 11 * DAY_MS)
    view = view_of(VIEW_FILES.read(tmp_path, other.sha256))
    assert view.label_delay_ms == 11 * DAY_MS
    assert np.isnan(view.tables[Entity.MERCHANT].values[:, 0]).all()
    delays = lake.table(CORE_RISK_VIEWS).select("label_delay_ms").distinct().collect()
    assert [row[0] for row in delays] == [11 * DAY_MS]


def test_the_lake_keeps_the_hours_that_the_detector_uses(
    lake: SparkSession, tmp_path: Path
) -> None:
    later_ms = UNTIL_MS + KEPT_VIEWS * HOUR_MS
    for until_ms in (UNTIL_MS, UNTIL_MS + HOUR_MS, later_ms):
        build(lake, ViewHour(until_ms, LABEL_DELAY_MS), tmp_path)
    hours = lake.table(CORE_RISK_VIEWS).select("built_until_ms").distinct().collect()
    assert {row[0] for row in hours} == {UNTIL_MS + HOUR_MS, later_ms}


def test_only_whole_past_hours_are_built() -> None:
    now_ms = UNTIL_MS + 59 * 60_000
    assert until_ms_of(None, now_ms) == UNTIL_MS
    assert until_ms_of("2001-06-01T09", now_ms) == UNTIL_MS - HOUR_MS
    assert until_ms_of("2001-06-01T12:00+02:00", now_ms) == UNTIL_MS
    for text in ("2001-06-01T09:30", "2001-06-01T11", "yesterday"):
        with pytest.raises(ValueError, match=r"2001|yesterday"):
            until_ms_of(text, now_ms)
