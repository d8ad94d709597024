"""Archive topics of the log to the raw layer, byte by byte, each offset once.

Spark's checkpoint records which offsets a batch covers, and Delta records which batches it has: one
that is replayed after a crash is written once. Without a checkpoint, it resumes at the table's end.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.kafka_log.ends import commit_ends, starts_of
from fraudwatch.adapters.kafka_log.log import RetentionOvertook
from fraudwatch.adapters.kafka_log.topic_check import TopicLog, check_positions, check_topic_id
from fraudwatch.adapters.kafka_log.topic_logs import topic_log_of
from fraudwatch.adapters.lake.archive_table import ARCHIVED, archived_topic_id
from fraudwatch.adapters.lake.spark_stream import login_options
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.lake import CHECKPOINT_FOLDER, DATABASE
from fraudwatch.settings import KafkaSettings, LakeSettings
from fraudwatch.topics import ARCHIVE_GROUP
from spark_jobs.archive.archive_proof import (
    Span,
    check_complete,
    ends_of_spans,
    proven_ends,
    save_proven_ends,
    save_topic_id,
    spans_of,
)

log = logging.getLogger(__name__)

# Bounds memory, whatever the backlog.
_MESSAGES_AT_ONCE: Final = 200_000
_EARLIEST: Final = -2  # Spark's value for the beginning of a partition
# Lost offsets by partition: the offset expected next, and the first one still available.
Lost = Mapping[int, tuple[int, int]]


class ArchiveStopped(RuntimeError):
    """Spark stopped archiving a topic."""


@dataclass(frozen=True, slots=True)
class TopicArchive:
    """Archive of one topic: its table and connections."""

    spark: SparkSession
    lake: LakeSettings
    kafka: KafkaSettings
    topic: str

    @property
    def table(self) -> str:
        """Name of the raw table."""
        return f"{DATABASE}.{ARCHIVED[self.topic]}"

    def run(self, *, accept_lost: bool = False) -> CountedRows:
        """Archive what the topic holds now, and check that no offset is missing.

        ``accept_lost`` resumes after offsets that retention deleted, instead of refusing.

        Raises:
            TopicChanged: the topic is not the one in the table, or lacks its end.
            RetentionOvertook: retention deleted offsets that were never archived.
            GapFound: the table lacks offsets or has some twice.
            ArchiveStopped: Spark or the broker failed; complete batches are stored.
        """
        starts = proven_ends(self.spark, self.table)
        before = spans_of(self.spark.table(self.table), starts)
        stored = ends_of_spans(starts, before)
        found = topic_log_of(self.kafka, self.topic)
        self._check_topic(found, stored)
        ends = found.ends
        lost = self._lost(stored, found.starts, accept_lost=accept_lost)
        if lost:
            check_complete(self.topic, before, starts)
            starts = stored | {partition: low for partition, (_, low) in lost.items()}
            # Before anything is read: otherwise a run killed after this would leave an open gap.
            save_proven_ends(self.spark, self.table, starts)
        if ends != {partition: stored.get(partition, 0) for partition in ends}:
            self._read(stored, ends, lost)
        spans = spans_of(self.spark.table(self.table), starts)
        check_complete(self.topic, spans, starts)
        now = ends_of_spans(starts, spans)
        self._check_reached(now, ends)
        save_proven_ends(self.spark, self.table, now)
        # For the log guard, which deletes nothing that is not archived.
        commit_ends(self.kafka, ARCHIVE_GROUP, self.topic, now)
        return _counted(spans, lost)

    def _check_topic(self, found: TopicLog, stored: Mapping[int, int]) -> None:
        """Check that the table is one of this topic, and store the topic's id with it."""
        cure = (
            f"copy {self.table} to another database, empty it, unset its fraudwatch properties and "
            f"remove the checkpoint {checkpoint_of(self.topic)} in the lake, as "
            "docs/runbooks/topic_changed.md has it"
        )
        known = archived_topic_id(self.spark, self.table)
        check_topic_id(found, known, reader="the archive", cure=cure)
        # What retention removed has a fix of its own.
        check_positions(found._replace(starts={}), stored, reader="the archive", cure=cure)
        save_topic_id(self.spark, self.table, found.topic_id)

    def _lost(
        self, stored: Mapping[int, int], lows: Mapping[int, int], *, accept_lost: bool
    ) -> Lost:
        lost = {
            partition: (stored[partition], low)
            for partition, low in lows.items()
            if partition in stored and low > stored[partition]
        }
        if lost and not accept_lost:
            ranges = "; ".join(
                f"{self.topic}-{partition} begins at offset {low} and the archive ends before {end}"
                for partition, (end, low) in sorted(lost.items())
            )
            raise RetentionOvertook(
                f"{ranges}: retention deleted the messages between before they were archived, so "
                "nothing was read; ingest these days from the source's extract, then resume with "
                f"--accept-lost {self.topic}"
            )
        return lost

    def _read(self, stored: Mapping[int, int], ends: Mapping[int, int], lost: Lost) -> None:
        begin = {str(partition): stored.get(partition, _EARLIEST) for partition in ends}
        source = self.spark.readStream.format("kafka").options(
            **login_options(self.kafka),
            subscribe=self.topic,
            # Used only without a checkpoint.
            startingOffsets=json.dumps({self.topic: begin}),
            failOnDataLoss=str(not lost).lower(),
            includeHeaders="true",
            maxOffsetsPerTrigger=str(_MESSAGES_AT_ONCE),
        )
        query = (
            raw_rows(source.load())
            .writeStream.queryName(f"archive_{self.topic}")
            .format("delta")
            .option("checkpointLocation", self.lake.at(checkpoint_of(self.topic)))
            .trigger(availableNow=True)
            .toTable(self.table)
        )
        try:
            query.awaitTermination()
        except StreamingQueryException as error:
            raise ArchiveStopped(
                f"archiving {self.topic} stopped: {str(error).splitlines()[0]}; complete batches "
                "are stored and none is written twice: fix the cause and run this again"
            ) from error

    def _check_reached(self, now: Mapping[int, int], ends: Mapping[int, int]) -> None:
        lows = starts_of(self.kafka, self.topic)
        for partition, end in ends.items():
            if now.get(partition, lows[partition]) < end:
                raise ArchiveStopped(
                    f"{self.topic}-{partition} is archived up to offset {now.get(partition)} and "
                    f"ended at {end} when this run began; run it again, and see the checkpoint "
                    f"{checkpoint_of(self.topic)} if it recurs"
                )


def checkpoint_of(topic: str) -> str:
    """Return the lake folder of the topic's checkpoint."""
    return f"{CHECKPOINT_FOLDER}/archive/{topic}"


def raw_rows(messages: DataFrame) -> DataFrame:
    """Convert Kafka's rows to the columns of a raw table."""
    return messages.select(
        F.col("partition").alias("source_partition"),
        F.col("offset").alias("source_offset"),
        F.col("timestamp").alias("produced_at"),
        F.col("key").cast("string").alias("key"),
        "value",
        "headers",
        F.to_date("timestamp").alias("produced_on"),
    )


def _counted(spans: Mapping[int, Span], lost: Lost) -> CountedRows:
    """Count the archived rows; offsets deleted by retention count as rejected."""
    gone = sum(low - end for end, low in lost.values())
    rows = sum(span.rows for span in spans.values())
    return CountedRows(
        rows_in=rows + gone,
        rows_out=rows,
        rejected={"lost_to_retention": gone} if gone else {},
        from_ms=min((span.from_ms for span in spans.values()), default=None),
        until_ms=max((span.until_ms for span in spans.values()), default=None),
    )
