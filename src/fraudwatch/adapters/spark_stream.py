"""Spark Structured Streaming over Kafka: the session, the query's source, what it has committed."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name
from pyspark.sql.streaming.query import StreamingQuery

from fraudwatch.settings import DetectorSettings, KafkaSettings

Int64s = npt.NDArray[np.int64]

_CHECKPOINT_MANAGER = (
    "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
)
_FAST_FILE_SYSTEM = "fraudwatch.spark.FastLocalFileSystem"


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """What one trigger brings: rows in the order of (partition, offset).

    ``decided_at_ms`` is Spark's own time of the batch. It is in Spark's log: a batch that is run
    again after a crash gets the same one, and ``is_rerun`` says that it may have run before.
    """

    batch_id: int
    is_rerun: bool
    decided_at_ms: int
    values: list[bytes]
    partition: Int64s
    offset: Int64s
    produced_at_ms: Int64s
    read_seconds: float = 0.0  # what fetching it from Kafka took

    @property
    def ends(self) -> dict[int, int]:
        """By partition, the first offset that is not in the batch."""
        last: dict[int, int] = dict(zip(self.partition.tolist(), self.offset.tolist(), strict=True))
        return {partition: offset + 1 for partition, offset in last.items()}


def build_session(settings: DetectorSettings) -> SparkSession:
    """A session tuned for small batches: no forks for the checkpoint, no shuffles, no UI."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("fraudwatch-detector").master(settings.master)
    for key, value in _spark_conf(settings).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session


def _spark_conf(settings: DetectorSettings) -> dict[str, str]:
    conf = {
        "spark.jars": settings.connector_jars,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "768m",
        "spark.local.dir": str(settings.state_folder / "spark"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        "spark.sql.streaming.checkpointFileManagerClass": _CHECKPOINT_MANAGER,
        "spark.sql.execution.arrow.maxRecordsPerBatch": "200000",
    }
    if settings.extra_class_path:
        # Without it every batch forks some twenty processes to set permissions (measured: 18 ms).
        conf["spark.driver.extraClassPath"] = settings.extra_class_path
        conf["spark.hadoop.fs.file.impl"] = _FAST_FILE_SYSTEM
    return conf


def start_query(
    session: SparkSession,
    settings: DetectorSettings,
    kafka: KafkaSettings,
    topic: str,
    on_batch: Callable[[MicroBatch], None],
) -> StreamingQuery:
    """Start the one query; Spark commits a batch after ``on_batch`` returned, and only then."""
    source = session.readStream.format("kafka").options(
        **_source_options(kafka),
        subscribe=topic,
        startingOffsets="earliest",
        failOnDataLoss="true",
        maxOffsetsPerTrigger=str(settings.max_offsets_per_trigger),
    )

    begun = _begun_batch(settings)

    def deliver(batch: DataFrame, batch_id: int) -> None:
        # The only action on the batch: a second one would read Kafka a second time.
        began = time.perf_counter()
        rows = batch.toArrow().sort_by([("partition", "ascending"), ("offset", "ascending")])
        read_seconds = time.perf_counter() - began
        if rows.num_rows:
            is_rerun = batch_id == begun
            on_batch(_micro_batch(rows, batch_id, is_rerun=is_rerun, read_seconds=read_seconds))

    columns = source.load().select(
        "partition",
        "offset",
        F.unix_millis("timestamp").alias("timestamp_ms"),
        "value",
        # Here and not in the batch: only in the query's own plan it is the batch's logged time, so
        # that a batch which is run again says the same.
        F.unix_millis(F.current_timestamp()).alias("decided_at_ms"),
    )
    return (
        columns.writeStream.queryName("detector")
        .option("checkpointLocation", str(checkpoint_folder(settings)))
        .foreachBatch(deliver)
        .start()
    )


def _micro_batch(
    rows: pa.Table, batch_id: int, *, is_rerun: bool, read_seconds: float
) -> MicroBatch:
    def column(name: str) -> Int64s:
        return np.asarray(rows.column(name).to_numpy(), dtype=np.int64)

    return MicroBatch(
        batch_id=batch_id,
        is_rerun=is_rerun,
        decided_at_ms=rows.column("decided_at_ms")[0].as_py(),
        values=rows.column("value").to_pylist(),
        partition=column("partition"),
        offset=column("offset"),
        produced_at_ms=column("timestamp_ms"),
        read_seconds=read_seconds,
    )


def login_options(kafka: KafkaSettings) -> dict[str, str]:
    """How Spark's own Kafka source and sink reach the broker, and nothing else."""
    login = (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{kafka.username}" password="{kafka.password.get_secret_value()}";'
    )
    return {
        "kafka.bootstrap.servers": kafka.bootstrap_servers,
        "kafka.security.protocol": kafka.security_protocol,
        "kafka.sasl.mechanism": "SCRAM-SHA-512",
        "kafka.sasl.jaas.config": login,
    }


def _source_options(kafka: KafkaSettings) -> dict[str, str]:
    return {
        **login_options(kafka),
        # Spark asks only for offsets that exist, yet a fetch waits for more up to this long. The
        # client's own 500 ms were most of a quiet stream's latency (measured: 0.6 s, now 0.14 s).
        "kafka.fetch.max.wait.ms": "5",
    }


def checkpoint_folder(settings: DetectorSettings) -> Path:
    """Where Spark logs which offsets a batch covers and which batches are done."""
    return settings.state_folder / "checkpoint"


def _newest_batch(settings: DetectorSettings, kind: str) -> int | None:
    names = [entry.name for entry in (checkpoint_folder(settings) / kind).glob("*")]
    return max((int(name) for name in names if name.isdecimal()), default=None)


def _begun_batch(settings: DetectorSettings) -> int | None:
    """The batch that an earlier process began and did not commit: Spark runs it again."""
    begun = _newest_batch(settings, "offsets")
    return None if begun == _newest_batch(settings, "commits") else begun


def committed_ends(settings: DetectorSettings, topic: str) -> dict[int, int]:
    """The end offset of every partition in the last batch that Spark has committed; {} if none.

    Raises:
        RuntimeError: the checkpoint is damaged: a batch is committed whose offsets are not logged.
    """
    done = _newest_batch(settings, "commits")
    if done is None:
        return {}
    logged = checkpoint_folder(settings) / "offsets" / str(done)
    try:
        by_topic: dict[str, Any] = json.loads(logged.read_text().splitlines()[-1])
        return {int(partition): end for partition, end in by_topic[topic].items()}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise RuntimeError(
            f"the checkpoint is damaged: batch {done} is committed but {logged} does not say "
            "which offsets it had; restore the folder from a copy, or remove it together with "
            "fraud_topic's verdicts to judge everything again"
        ) from error
