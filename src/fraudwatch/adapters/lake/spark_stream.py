"""Run the detector's Structured Streaming query over Kafka: session, query, micro-batches."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fraudwatch.adapters.lake.micro_batch import read_rows
from fraudwatch.adapters.lake.spark_checkpoint import batch_time_ms, begun_batch, checkpoint_folder
from fraudwatch.domain.arrays import Int64s
from fraudwatch.settings import DetectorSettings, KafkaSettings

_CHECKPOINT_MANAGER = (
    "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
)
_FAST_FILE_SYSTEM = "fraudwatch.spark.FastLocalFileSystem"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Rows of one micro-batch, in the order of (partition, offset).

    ``decided_at_ms`` is the batch's time in Spark's checkpoint: a batch that runs again after a
    crash gets the same one, and ``is_rerun`` marks that it may have run before.
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
    """Build a session tuned for small micro-batches: no forks, no shuffles, no UI."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("fraudwatch-detector").master(settings.master)
    for key, value in _spark_conf(settings).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    _stop_collecting_for_the_ui(session)
    return session


def _stop_collecting_for_the_ui(session: SparkSession) -> None:
    """Remove the listeners that keep jobs, stages and plans for Spark's pages, which are off.

    Spark has no setting for it, and they take part of each trigger's processor time.
    """
    java_session: Any = session._jsparkSession  # noqa: SLF001  PySpark has no other way to the JVM
    context = java_session.sparkContext()
    for store in (context.statusStore(), java_session.sharedState().statusStore()):
        if (listener := store.listener()).isDefined():
            context.removeSparkListener(listener.get())


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
        "spark.driver.extraClassPath": settings.extra_class_path,
        "spark.hadoop.fs.file.impl": _FAST_FILE_SYSTEM,
        # The plan only reads: generating its code in each trigger, to find it in the cache, costs
        # more than interpreting it.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        # Otherwise Spark scans the code of its own functions in each trigger.
        "spark.sql.execution.usePartitionEvaluator": "true",
    }
    # The optimizing compiler C2 takes more of a trigger than the trigger itself for the first
    # minutes, and its code is hardly faster here: planning is wide rather than hot.
    jvm_options = ["-XX:TieredStopAtLevel=1"]
    if agent := _jmx_agent(settings):
        conf["spark.metrics.conf.driver.sink.jmx.class"] = "org.apache.spark.metrics.sink.JmxSink"
        jvm_options.append(agent)
    return conf | {"spark.driver.extraJavaOptions": " ".join(jvm_options)}


def _jmx_agent(settings: DetectorSettings) -> str | None:
    """Return the option that publishes the JVM's metrics; the detector runs without it as well."""
    if settings.jmx_agent is None:
        return None
    if not settings.jmx_agent.exists():
        log.warning("%s is missing, so the JVM publishes no metrics", settings.jmx_agent)
        return None
    # Quoted: Spark splits the options at spaces.
    return f'"-javaagent:{settings.jmx_agent}={settings.jmx_arguments}"'


def start_query(
    session: SparkSession,
    settings: DetectorSettings,
    kafka: KafkaSettings,
    topic: str,
    on_batch: Callable[[MicroBatch], None],
    starts: Mapping[int, int] | None = None,
) -> StreamingQuery:
    """Start the one query; Spark commits a batch after ``on_batch`` returned, and only then.

    A query without a checkpoint begins at ``starts``, or at the beginning of the topic; ``starts``
    names every partition.
    """
    begun = begun_batch(settings)
    rows_path = settings.state_folder / "micro_batch"
    jvm: Any = session._jvm  # noqa: SLF001  PySpark has no other way to the JVM
    write_rows = jvm.fraudwatch.spark.MicroBatchRows.write

    def deliver(batch: DataFrame, batch_id: int) -> None:
        decided_at_ms = batch_time_ms(settings, batch_id)
        # The only job on the batch: a second one would read Kafka a second time.
        began = time.perf_counter()
        count = write_rows(batch._jdf, str(rows_path))  # noqa: SLF001  its name in the JVM
        if not count:
            return
        rows = read_rows(rows_path)
        on_batch(
            MicroBatch(
                batch_id=batch_id,
                is_rerun=batch_id == begun,
                decided_at_ms=decided_at_ms,
                values=rows.values,
                partition=rows.partition,
                offset=rows.offset,
                produced_at_ms=rows.produced_at_ms,
                read_seconds=time.perf_counter() - began,
            )
        )

    return (
        _messages(session, settings, kafka, _Source(topic, starts))
        .writeStream.queryName("detector")
        .option("checkpointLocation", str(checkpoint_folder(settings)))
        .foreachBatch(deliver)
        .start()
    )


class _Source(NamedTuple):
    """Topic, and the offsets at which a query without a checkpoint begins."""

    topic: str
    starts: Mapping[int, int] | None

    @property
    def starting_offsets(self) -> str:
        if self.starts is None:
            return "earliest"
        return json.dumps({self.topic: {str(number): at for number, at in self.starts.items()}})


def _messages(
    session: SparkSession, settings: DetectorSettings, kafka: KafkaSettings, from_: _Source
) -> DataFrame:
    source = session.readStream.format("kafka").options(
        **_source_options(kafka),
        subscribe=from_.topic,
        startingOffsets=from_.starting_offsets,
        failOnDataLoss="true",
        maxOffsetsPerTrigger=str(settings.max_offsets_per_trigger),
    )
    # As it is: a column that is selected or computed here would be analysed, optimized, planned and
    # sent to the tasks in every trigger.
    return source.load()


def login_options(kafka: KafkaSettings) -> dict[str, str]:
    """Return the connection options of Spark's Kafka source and sink."""
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
