"""Raw tables of the archive: which topic each holds, and its messages in the order of offsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fraudwatch.domain.lake.offset_ranges import OffsetRange
from fraudwatch.lake import (
    DATABASE,
    RAW_AUDIT_TOPIC,
    RAW_DEAD_LETTER_TOPIC,
    RAW_FEATURE_TOPIC,
    RAW_FRAUD_TOPIC,
    RAW_LABELS_TOPIC,
    RAW_TRANSACTION_TOPIC,
)
from fraudwatch.topics import (
    AUDIT_TOPIC,
    DEAD_LETTER_TOPIC,
    FEATURE_TOPIC,
    FRAUD_TOPIC,
    LABELS_TOPIC,
    TRANSACTION_TOPIC,
)

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

ARCHIVED: Final = {
    TRANSACTION_TOPIC: RAW_TRANSACTION_TOPIC,
    FRAUD_TOPIC: RAW_FRAUD_TOPIC,
    FEATURE_TOPIC: RAW_FEATURE_TOPIC,
    LABELS_TOPIC: RAW_LABELS_TOPIC,
    AUDIT_TOPIC: RAW_AUDIT_TOPIC,
    DEAD_LETTER_TOPIC: RAW_DEAD_LETTER_TOPIC,
}
TOPIC_ID: Final = "fraudwatch.topic_id"
_CREATE_TIME: Final = 1  # as Kafka's client names the producer's time
_COLUMNS: Final = (
    "source_partition",
    "source_offset",
    "unix_millis(produced_at) AS produced_at_ms",
    "value",
    "headers",
)


def archived_topic_id(spark: SparkSession, table: str) -> str | None:
    """Read the id of the topic that the table holds; None in a table of before ids were kept."""
    rows = spark.sql(f"SHOW TBLPROPERTIES {table}").collect()
    return next((str(row["value"]) for row in rows if row["key"] == TOPIC_ID), None)


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """A message of the archive, with the interface of one that a consumer got."""

    topic_name: str
    row: Row

    def topic(self) -> str:
        """Return its topic."""
        return self.topic_name

    def partition(self) -> int:
        """Return its partition."""
        return int(self.row["source_partition"])

    def offset(self) -> int:
        """Return its offset."""
        return int(self.row["source_offset"])

    def value(self) -> bytes | None:
        """Return its bytes."""
        value = self.row["value"]
        return None if value is None else bytes(value)

    def headers(self) -> list[tuple[str, bytes | None]]:
        """Return its headers."""
        found = [(one["key"], one["value"]) for one in self.row["headers"] or ()]
        return [(key, None if value is None else bytes(value)) for key, value in found]

    def timestamp(self) -> tuple[int, int]:
        """Return the kind of its time, the producer's, and the time in epoch ms."""
        return _CREATE_TIME, int(self.row["produced_at_ms"])

    def error(self) -> None:
        """Return no error: it is a message."""


def archived_messages(
    spark: SparkSession, topic: str, wanted: OffsetRange
) -> Iterator[ArchivedMessage]:
    """Read offsets of one partition from the archive, in their order, a part at a time."""
    rows = (
        spark.table(f"{DATABASE}.{ARCHIVED[topic]}")
        .where(
            f"source_partition = {wanted.partition} AND source_offset >= {wanted.start} "
            f"AND source_offset < {wanted.end}"
        )
        .selectExpr(*_COLUMNS)
        .orderBy("source_offset")
    )
    for row in rows.toLocalIterator():
        yield ArchivedMessage(topic, row)
