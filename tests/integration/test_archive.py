"""The archive of topics in the raw layer: each offset once, and gaps are detected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr
from pyspark.sql import SparkSession

from fraudwatch.adapters.kafka_log.ends import ends_of, starts_of
from fraudwatch.adapters.kafka_log.log import KafkaTopic, RetentionOvertook, client_config
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged, TopicLog
from fraudwatch.adapters.kafka_log.topic_logs import topic_log_of
from fraudwatch.adapters.lake.archive_table import archived_topic_id
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.lake import DATABASE, RAW_FEATURE_TOPIC, RAW_LABELS_TOPIC
from fraudwatch.settings import KafkaSettings, LakeSettings
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import (
    FEATURE_TOPIC,
    FEATURES_VERSION_HEADER,
    LABELS_TOPIC,
    TRANSACTION_ID_HEADER,
)
from spark_jobs.archive import topic_archive
from spark_jobs.archive.archive_proof import (
    GapFound,
    Span,
    check_complete,
    proven_ends,
    save_proven_ends,
    spans_of,
)
from spark_jobs.archive.topic_archive import TopicArchive

PLACES = "source_partition INT, source_offset BIGINT, produced_at TIMESTAMP"
TABLE = f"{DATABASE}.{RAW_FEATURE_TOPIC}"


@pytest.fixture(scope="module", autouse=True)
def _tables_of_its_own(spark: SparkSession) -> Iterator[None]:
    """Other tests write offsets of their own into the raw tables: nothing of them, nothing left."""
    tables = (TABLE, f"{DATABASE}.{RAW_LABELS_TOPIC}")
    for table in tables:
        spark.sql(f"TRUNCATE TABLE {table}")
    yield
    for table in tables:
        spark.sql(f"TRUNCATE TABLE {table}")


def span(first: int, end: int, *, rows: int | None = None, offsets: int | None = None) -> Span:
    whole = end - first
    return Span(
        first=first,
        end=end,
        rows=whole if rows is None else rows,
        offsets=whole if offsets is None else offsets,
        from_ms=0,
        until_ms=1,
    )


def test_a_span_without_gaps_is_proven() -> None:
    check_complete("t", {0: span(5, 9), 1: span(0, 3)}, {0: 5})


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (span(6, 9), "t-0 should continue at offset 5 and continues at 6"),
        (span(5, 9, rows=3, offsets=3), "t-0 lacks 1 of the offsets 5 to 8"),
        (span(5, 9, rows=5), "t-0 has 1 rows too many"),
        # As many rows as offsets, but one offset is missing and one is stored twice.
        (span(5, 9, rows=4, offsets=3), "t-0 lacks 1 of the offsets 5 to 8"),
    ],
)
def test_a_gap_is_reported_with_the_fix(broken: Span, message: str) -> None:
    with pytest.raises(GapFound, match=f"{message}.*delete the partition's rows"):
        check_complete("t", {0: broken}, {0: 5})


def test_only_offsets_after_the_proven_end_are_counted(spark: SparkSession) -> None:
    offsets = [(0, 1), (0, 2), (0, 2), (1, 7)]
    raw = spark.createDataFrame([(p, o, None) for p, o in offsets], PLACES)
    found = spans_of(raw, {0: 2})
    assert {p: (s.first, s.end, s.rows, s.offsets) for p, s in found.items()} == {
        0: (2, 3, 2, 1),
        1: (7, 8, 1, 1),
    }


def test_proven_ends_are_stored_with_the_table(spark: SparkSession) -> None:
    for partition in proven_ends(spark, TABLE):  # by another test
        spark.sql(f"ALTER TABLE {TABLE} UNSET TBLPROPERTIES ('fraudwatch.whole_until.{partition}')")
    assert proven_ends(spark, TABLE) == {}
    save_proven_ends(spark, TABLE, {0: 10, 1: 0})
    save_proven_ends(spark, TABLE, {0: 12, 1: 0})
    assert proven_ends(spark, TABLE) == {0: 12, 1: 0}


def faked_topic(
    spark: SparkSession,
    lake_settings: LakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    found: TopicLog,
    known: str | None,
) -> TopicArchive:
    """Fake the broker's answers, so that the shared stack's topics are not changed."""
    kafka = KafkaSettings(
        bootstrap_servers="127.0.0.1:1", username="archiver", password=SecretStr("0123456789abcdef")
    )
    monkeypatch.setattr(topic_archive, "proven_ends", lambda *_: {0: 5_000})
    monkeypatch.setattr(topic_archive, "archived_topic_id", lambda *_: known)
    monkeypatch.setattr(topic_archive, "topic_log_of", lambda *_: found)
    return TopicArchive(spark, lake_settings, kafka, LABELS_TOPIC)


@pytest.mark.parametrize(
    ("topic_id", "end", "reason"),
    [
        ("new", 3, "labels_topic was made anew: its id is new"),
        ("new", 100_000, "labels_topic was made anew: its id is new"),
        ("old", 3, "labels_topic-0 ends at offset 3, and the archive continues at 5000"),
    ],
)
def test_another_topic_of_the_name_is_not_archived_after_the_old_one(
    spark: SparkSession,
    lake_settings: LakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    topic_id: str,
    end: int,
    reason: str,
) -> None:
    table = f"{DATABASE}.{RAW_LABELS_TOPIC}"
    before = proven_ends(spark, table), archived_topic_id(spark, table)
    found = TopicLog(LABELS_TOPIC, topic_id, {0: 0}, {0: end})
    archive = faked_topic(spark, lake_settings, monkeypatch, found, "old")
    with pytest.raises(TopicChanged, match=f"{reason}.*empty it.*remove the checkpoint"):
        archive.run()
    assert (proven_ends(spark, table), archived_topic_id(spark, table)) == before


def test_a_topic_is_archived_byte_by_byte_and_once(
    spark: SparkSession, lake_settings: LakeSettings, kafka_stack: PrivateStack
) -> None:
    kafka = kafka_stack.kafka("archiver")
    sent = [(f"key-{n}", f"value-{n}".encode(), {"h": b"\x00\xff"}) for n in range(500)]
    KafkaTopic(kafka_stack.kafka("admin"), LABELS_TOPIC).send(sent)
    archive = TopicArchive(spark, lake_settings, kafka, LABELS_TOPIC)
    counted = archive.run()
    assert counted.rows_out >= 500
    ends = ends_of(kafka, LABELS_TOPIC)
    assert proven_ends(spark, archive.table) == {p: end for p, end in ends.items() if end}
    rows = spark.table(archive.table).where("key LIKE 'key-%'").collect()
    assert {row["key"]: bytes(row["value"]) for row in rows} == {k: v for k, v, _ in sent}
    assert {(row["headers"][0]["key"], bytes(row["headers"][0]["value"])) for row in rows} == {
        ("h", b"\x00\xff")
    }
    assert archived_topic_id(spark, archive.table) == topic_log_of(kafka, LABELS_TOPIC).topic_id
    assert archive.run() == CountedRows(), "no new messages, no rows"


def test_without_its_checkpoint_the_archive_continues_at_the_end_of_the_table(
    spark: SparkSession, lake_settings: LakeSettings, kafka_stack: PrivateStack
) -> None:
    publisher = KafkaTopic(kafka_stack.kafka("admin"), FEATURE_TOPIC)
    # The detector's headers, which other consumers of the topic need.
    headers = {TRANSACTION_ID_HEADER: b"archive:1", FEATURES_VERSION_HEADER: b"none"}
    publisher.send([("a", b"1", headers)] * 50)
    kafka = kafka_stack.kafka("archiver")
    spark.sql(f"TRUNCATE TABLE {TABLE}")
    first = TopicArchive(spark, lake_settings, kafka, FEATURE_TOPIC)
    save_proven_ends(spark, TABLE, starts_of(kafka, FEATURE_TOPIC))
    first.run()
    rows = spark.table(TABLE).count()
    publisher.send([("a", b"2", headers)] * 20)
    elsewhere = lake_settings.model_copy(
        update={"file_system": lake_settings.file_system + "/other"}
    )
    TopicArchive(spark, elsewhere, kafka, FEATURE_TOPIC).run()
    assert spark.table(TABLE).count() >= rows + 20
    assert (
        spark.table(TABLE)
        .groupBy("source_partition", "source_offset")
        .count()
        .where("count > 1")
        .isEmpty()
    )


def test_rows_lost_to_retention_are_refused_until_the_loss_is_accepted(
    spark: SparkSession, lake_settings: LakeSettings, kafka_stack: PrivateStack
) -> None:
    admin, kafka = kafka_stack.kafka("admin"), kafka_stack.kafka("archiver")
    headers = {TRANSACTION_ID_HEADER: b"archive:lost", FEATURES_VERSION_HEADER: b"none"}
    publisher = KafkaTopic(admin, FEATURE_TOPIC)
    # A separate checkpoint: another test's offsets do not apply here.
    elsewhere = lake_settings.model_copy(
        update={"file_system": lake_settings.file_system + "/retention"}
    )
    archive = TopicArchive(spark, elsewhere, kafka, FEATURE_TOPIC)
    spark.sql(f"TRUNCATE TABLE {TABLE}")
    save_proven_ends(spark, TABLE, starts_of(kafka, FEATURE_TOPIC))
    archive.run()
    before = proven_ends(spark, TABLE)
    publisher.send([("a", b"3", headers)] * 20)
    ends = ends_of(kafka, FEATURE_TOPIC)
    gone = {n: end - 5 for n, end in ends.items() if end >= before.get(n, 0) + 20}
    delete_until(admin, gone)
    message = r"feature_topic-\d begins at offset \d+ .* --accept-lost feature_topic"
    with pytest.raises(RetentionOvertook, match=message):
        archive.run()
    assert proven_ends(spark, TABLE) == before
    counted = archive.run(accept_lost=True)
    lost = sum(low - before.get(n, 0) for n, low in gone.items())
    assert counted.rejected == {"lost_to_retention": lost}
    assert lost >= 15
    behind = proven_ends(spark, TABLE)
    assert all(behind[n] >= end for n, end in ends.items() if end)
    assert archive.run().rejected == {}, "accepted once, complete from then on"


def delete_until(kafka: KafkaSettings, lows: Mapping[int, int]) -> None:
    """Delete records as retention would, but now."""
    places = [TopicPartition(FEATURE_TOPIC, n, low) for n, low in lows.items()]
    broker = AdminClient(
        {**client_config(kafka)}
    )  # must not be garbage-collected before all is deleted
    for deleted in broker.delete_records(places, request_timeout=30).values():
        deleted.result(timeout=60)
