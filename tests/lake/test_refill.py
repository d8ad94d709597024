"""Refill of the store from the archive's real rows, in the order of their offsets."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest
from pyspark.sql import SparkSession

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.lake.archive_table import ARCHIVED, archived_messages, archived_topic_id
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryVerdictStore
from fraudwatch.domain.lake.offset_ranges import OffsetRange
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, AuditAction, AuditRecord
from fraudwatch.lake import DATABASE
from fraudwatch.samples import NOON_MS
from fraudwatch.topics import AUDIT_TOPIC
from streaming.persister.refill import LACKING, refill
from streaming.persister.writing import Persister

TABLE = f"{DATABASE}.{ARCHIVED[AUDIT_TOPIC]}"
FIRST = 7_000_000  # offsets of no other test
RAW = (
    "source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY, "
    "headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE"
)


def record(offset: int) -> AuditRecord:
    return AuditRecord(
        schema=AUDIT_SCHEMA,
        record_id=f"{offset:032}",
        at_ms=NOON_MS,
        deed=AuditAction.REVEALED,
        by="lead",
        reason="the customer calls",
    )


def archive(spark: SparkSession, *offsets: int, partition: int = 0) -> None:
    """Append messages in this order, as one batch of the archive does; every fifth is invalid."""
    at = datetime.fromtimestamp(NOON_MS / 1_000 + 0.123, UTC)
    rows = [
        (
            partition,
            FIRST + offset,
            at,
            "key",
            b"{" if offset % 5 == 4 else encode(record(offset)),
            [("name", b"\x00\xff"), ("empty", None)],
            at.date(),
        )
        for offset in offsets
    ]
    spark.createDataFrame(rows, RAW).write.format("delta").mode("append").saveAsTable(TABLE)


@pytest.fixture(scope="module")
def _archived(spark: SparkSession) -> None:
    archive(spark, 9, 3, 5, 4)
    archive(spark, 0, 2, 1, 12, 11)
    archive(spark, 4)  # twice, which the archive's own check reports
    archive(spark, 6, 7, 8, partition=1)


@pytest.mark.usefixtures("_archived")
def test_messages_are_read_in_the_order_of_offsets_as_they_were(spark: SparkSession) -> None:
    found = list(archived_messages(spark, AUDIT_TOPIC, OffsetRange(0, FIRST + 1, FIRST + 10)))
    assert [one.offset() - FIRST for one in found] == [1, 2, 3, 4, 4, 5, 9]
    first = found[0]
    assert (first.topic(), first.partition(), first.error()) == (AUDIT_TOPIC, 0, None)
    assert first.value() == encode(record(1))
    assert first.headers() == [("name", b"\x00\xff"), ("empty", None)]
    assert first.timestamp() == (1, NOON_MS + 123)


@pytest.mark.usefixtures("_archived")
def test_lost_offsets_are_written_from_the_lake_and_gaps_are_named(spark: SparkSession) -> None:
    store, dead_letters = MemoryVerdictStore(), MemoryDeadLetters()
    done = refill(
        AUDIT_TOPIC,
        [OffsetRange(0, FIRST + 1, FIRST + 14), OffsetRange(1, FIRST + 6, FIRST + 9)],
        partial(archived_messages, spark, AUDIT_TOPIC),
        Persister(store, dead_letters, lambda: NOON_MS),
        max_records=3,
        accept_lost=False,
    )
    written = {int(one.record_id) for one in store.records()}
    assert written == {1, 2, 3, 5, 11, 12, 6, 7, 8}
    origins = list(dead_letters.records)
    assert origins == [f"{AUDIT_TOPIC}-0-{FIRST + 4}", f"{AUDIT_TOPIC}-0-{FIRST + 9}"]
    assert (done.written, done.exit_code) == (11, LACKING)
    gaps = [(one.partition, one.start - FIRST, one.end - FIRST) for one in done.missing]
    assert gaps == [(0, 6, 9), (0, 10, 11), (0, 13, 14)]


def test_a_table_of_before_ids_were_kept_has_none(spark: SparkSession) -> None:
    assert archived_topic_id(spark, TABLE) is None
    spark.sql(f"ALTER TABLE {TABLE} SET TBLPROPERTIES ('fraudwatch.topic_id' = 'abc')")
    try:
        assert archived_topic_id(spark, TABLE) == "abc"
    finally:
        spark.sql(f"ALTER TABLE {TABLE} UNSET TBLPROPERTIES ('fraudwatch.topic_id')")
