from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from fraudwatch import lake
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.log_fold import fold_messages, packed
from fraudwatch.adapters.lake.spark_features import features_of
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.samples import NOON_MS, a_token, a_transaction
from spark_jobs.days import Days
from spark_jobs.features.build_features import build

DAY_MS = 86_400_000
CUSTOMERS = "abcdefghijklmnop"
DAY = date(2026, 1, 15)  # of NOON_MS
Message = tuple[int, int, int, str, bytes]  # partition, offset, produced, key, value


def messages() -> list[Message]:
    """Build two partitions, each customer in one, with repeats, late and invalid messages."""
    chance = random.Random(5)
    found: list[Message] = []
    ends = [0, 0]
    for number in range(600):
        customer = chance.choice(CUSTOMERS)
        partition = CUSTOMERS.index(customer) % 2
        repeated = number - 7 if number % 50 == 49 else number
        late = 40 * DAY_MS if number % 60 == 59 else 0
        value = encode(
            a_transaction(
                transaction_id=f"s:{customer}{repeated if repeated != number else number}",
                customer_token=a_token(customer),
                event_at_ms=NOON_MS + number * 600_000 - late,
                amount_eur_cents=chance.randrange(1, 100_000),
                merchant_id=f"m-{chance.randrange(5)}",
            )
        )
        if number % 97 == 96:
            value = b'{"schema":"nonsense"}'
        found.append((partition, ends[partition], NOON_MS + 30 * DAY_MS, a_token(customer), value))
        ends[partition] += 1
    for place in (100, 300):  # a repeated message, as after a producer's retry
        partition, _, at_ms, key, value = found[place]
        found.append((partition, ends[partition], at_ms, key, value))
        ends[partition] += 1
    return found


def archived(spark: SparkSession, listed: list[Message]) -> DataFrame:
    shuffled = random.Random(1).sample(listed, len(listed))
    schema = "source_partition INT, source_offset BIGINT, ms BIGINT, key STRING, value BINARY"
    return spark.createDataFrame(shuffled, schema).selectExpr(
        "*", "timestamp_millis(ms) AS produced_at", "to_date(timestamp_millis(ms)) AS produced_on"
    )


def one_shot(listed: list[Message]) -> dict[tuple[int, int], tuple[str, bytes]]:
    ordered = sorted(listed)
    produced_at_ms = np.array([one[2] for one in ordered])
    folded = fold_messages(CustomerState(), [one[4] for one in ordered], produced_at_ms)
    assert folded.repeats >= 2
    assert len(folded.refused) > 10
    names = folded.frame["transaction_id"].to_list()
    vectors = packed(folded.features)
    places = [ordered[place][:2] for place in folded.position.tolist()]
    return dict(zip(places, zip(names, vectors, strict=True), strict=True))


@pytest.mark.parametrize("splits", [1, 2, 5])
def test_any_split_gives_the_bytes_of_one_fold(spark: SparkSession, splits: int) -> None:
    listed = messages()
    # So that a task gets several batches.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 37)
    try:
        rows = features_of(archived(spark, listed), splits).collect()
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    found = {
        (row.source_partition, row.source_offset): (row.transaction_id, bytes(row.features))
        for row in rows
    }
    assert found == one_shot(listed)
    assert len(rows) == len(found)
    assert {row.features_version for row in rows} == {features_version()}


def test_a_message_that_is_not_keyed_by_its_customer_stops_the_job(spark: SparkSession) -> None:
    partition, offset, at_ms, _, value = messages()[0]
    rows = features_of(archived(spark, [(partition, offset, at_ms, a_token("z"), value)]), 1)
    with pytest.raises(Exception, match="not keyed by its customer"):
        rows.collect()


def test_the_job_stores_the_requested_days_and_is_idempotent(spark: SparkSession) -> None:
    listed = messages()
    raw = f"{lake.DATABASE}.{lake.RAW_TRANSACTION_TOPIC}"
    columns = "source_partition, source_offset, produced_at, key, value, produced_on"
    spark.sql(f"DELETE FROM {raw}")  # noqa: S608  other tests' messages belong to no customer
    archived(spark, listed).selectExpr(*columns.split(", ")).writeTo(raw).append()
    wanted = {
        place: found
        for place, found in one_shot(listed).items()
        if NOON_MS // DAY_MS <= _day_number(listed, place) < NOON_MS // DAY_MS + 2
    }
    days = Days(DAY, date(2026, 1, 16))
    try:
        for _ in range(2):
            outcome = build(spark, days, splits=2)
        rows = spark.table(lake.CORE_FEATURES).where(days.contains("event_on")).collect()
    finally:
        spark.sql(f"DELETE FROM {raw} WHERE produced_on = DATE'2026-02-14'")  # noqa: S608  our names
    assert {(row.source_partition, row.source_offset) for row in rows} == wanted.keys()
    assert (outcome.rows_out, outcome.rows_in) == (len(wanted), len(listed))


def _day_number(listed: list[Message], place: tuple[int, int]) -> int:
    import json

    [value] = [one[4] for one in listed if one[:2] == place]
    return int(json.loads(value)["event_at_ms"]) // DAY_MS
