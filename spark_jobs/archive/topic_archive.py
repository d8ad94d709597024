"""Topics of the log into the raw layer, byte by byte, each offset once.

Spark's checkpoint says which offsets a batch covers, and Delta knows which batches it has: one that
is run again after a crash is written once. Where there is no checkpoint, it goes on where the
table ends.
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

from fraudwatch.adapters.kafka_log.ends import ends_of, starts_of
from fraudwatch.adapters.kafka_log.log import RetentionOvertook
from fraudwatch.adapters.lake.spark_stream import login_options
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.lake import (
    CHECKPOINT_FOLDER,
    DATABASE,
    RAW_FEATURE_TOPIC,
    RAW_FRAUD_TOPIC,
    RAW_LABELS_TOPIC,
    RAW_TRANSACTION_TOPIC,
)
from fraudwatch.settings import KafkaSettings, LakeSettings
from fraudwatch.topics import FEATURE_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC
from spark_jobs.archive.archive_proof import (
    Span,
    ends_of_spans,
    keep_proven_ends,
    prove_whole,
    proven_ends,
    spans_of,
)

log = logging.getLogger(__name__)

ARCHIVED: Final = {
    TRANSACTION_TOPIC: RAW_TRANSACTION_TOPIC,
    FRAUD_TOPIC: RAW_FRAUD_TOPIC,
    FEATURE_TOPIC: RAW_FEATURE_TOPIC,
    LABELS_TOPIC: RAW_LABELS_TOPIC,
}
# So that memory does not grow with the backlog.
_MESSAGES_AT_ONCE: Final = 200_000
_EARLIEST: Final = -2  # Spark's word for where a partition begins
# An offset that is gone for good, by partition: where it was to go on, and where it can.
Lost = Mapping[int, tuple[int, int]]


class ArchiveStopped(RuntimeError):
    """Spark gave up on a topic."""


@dataclass(frozen=True, slots=True)
class TopicArchive:
    """One topic, its table, and how both are reached."""

    spark: SparkSession
    lake: LakeSettings
    kafka: KafkaSettings
    topic: str

    @property
    def table(self) -> str:
        """The raw table."""
        return f"{DATABASE}.{ARCHIVED[self.topic]}"

    def run(self, *, accept_lost: bool = False) -> CountedRows:
        """Archive what the topic holds now, and prove that nothing lacks.

        ``accept_lost`` goes on behind what retention has taken, instead of refusing.

        Raises:
            RetentionOvertook: offsets that were never archived are gone from the topic.
            GapFound: the table lacks offsets or has some twice.
            ArchiveStopped: Spark or the broker failed; whole batches were kept.
        """
        starts = proven_ends(self.spark, self.table)
        before = spans_of(self.spark.table(self.table), starts)
        held = ends_of_spans(starts, before)
        ends = ends_of(self.kafka, self.topic)
        lost = self._lost(held, ends, accept_lost=accept_lost)
        if lost:
            prove_whole(self.topic, before, starts)
            starts = held | {partition: low for partition, (_, low) in lost.items()}
            # Before anything is read: else a run killed from here on would leave a gap to explain.
            keep_proven_ends(self.spark, self.table, starts)
        if ends != {partition: held.get(partition, 0) for partition in ends}:
            self._read(held, ends, lost)
        spans = spans_of(self.spark.table(self.table), starts)
        prove_whole(self.topic, spans, starts)
        now = ends_of_spans(starts, spans)
        self._reached(now, ends)
        keep_proven_ends(self.spark, self.table, now)
        return _counted(spans, lost)

    def _lost(self, held: Mapping[int, int], ends: Mapping[int, int], *, accept_lost: bool) -> Lost:
        lows = starts_of(self.kafka, self.topic)
        lost = {
            partition: (held[partition], low)
            for partition, low in lows.items()
            if partition in held and low > held[partition]
        }
        if lost and not accept_lost:
            told = "; ".join(
                f"{self.topic}-{partition} begins at offset {low} and the archive ends before {end}"
                for partition, (end, low) in sorted(lost.items())
            )
            raise RetentionOvertook(
                f"{told}: what lies between was removed by retention before it was archived, so "
                "nothing was read; ingest the days concerned from the source's own extract, then "
                f"go on with --accept-lost {self.topic}"
            )
        if anew := [n for n, end in ends.items() if end < held.get(n, 0)]:
            raise RetentionOvertook(
                f"{self.topic}-{anew[0]} ends at offset {ends[anew[0]]} and the archive already "
                f"holds {held[anew[0]]}: the topic was made anew, so its offsets say nothing any "
                f"more and nothing was read; rename {self.table}, let lake_setup make it again, "
                f"and remove the checkpoints of {self.topic}"
            )
        return lost

    def _read(self, held: Mapping[int, int], ends: Mapping[int, int], lost: Lost) -> None:
        begin = {str(partition): held.get(partition, _EARLIEST) for partition in ends}
        source = self.spark.readStream.format("kafka").options(
            **login_options(self.kafka),
            subscribe=self.topic,
            # Counts only where there is no checkpoint.
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
                f"archiving {self.topic} stopped: {str(error).splitlines()[0]}; whole batches were "
                "kept and none is written twice: remove the cause and run this again"
            ) from error

    def _reached(self, now: Mapping[int, int], ends: Mapping[int, int]) -> None:
        lows = starts_of(self.kafka, self.topic)
        for partition, end in ends.items():
            if now.get(partition, lows[partition]) < end:
                raise ArchiveStopped(
                    f"{self.topic}-{partition} is archived up to offset {now.get(partition)} and "
                    f"ended at {end} when this run began; run it again, and see the checkpoint "
                    f"{checkpoint_of(self.topic)} if it stays so"
                )


def checkpoint_of(topic: str) -> str:
    """The folder of the lake where Spark logs what was archived."""
    return f"{CHECKPOINT_FOLDER}/archive/{topic}"


def raw_rows(messages: DataFrame) -> DataFrame:
    """Kafka's rows in the columns of a raw table."""
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
    """What this run proved; offsets that retention took were in the log and are put aside."""
    gone = sum(low - end for end, low in lost.values())
    rows = sum(span.rows for span in spans.values())
    return CountedRows(
        rows_in=rows + gone,
        rows_out=rows,
        rejected={"lost_to_retention": gone} if gone else {},
        from_ms=min((span.from_ms for span in spans.values()), default=None),
        until_ms=max((span.until_ms for span in spans.values()), default=None),
    )
