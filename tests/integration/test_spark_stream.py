"""The detector's query on real Spark and Kafka: the time of a micro-batch, code generation."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fraudwatch.adapters.lake.spark_checkpoint import checkpoint_folder
from fraudwatch.adapters.lake.spark_stream import MicroBatch, start_query
from fraudwatch.settings import DetectorSettings
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import TRANSACTION_TOPIC
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

ROWS_PER_BATCH = 50  # the shop's history alone gives sixty batches
BATCHES = 12
WARM_UP_BATCHES = 2
TIME_KEY = "batchTimestampMs"


@pytest.fixture
def settings(tmp_path: Path) -> DetectorSettings:
    """Settings with the test's own checkpoint; the query uses no other folder."""
    return DetectorSettings(
        state_folder=tmp_path,
        models_folder=tmp_path,
        views_folder=tmp_path,
        states_folder=tmp_path,
        dead_letter_key_path=tmp_path,
        connector_jars="",
        extra_class_path="",
        max_offsets_per_trigger=ROWS_PER_BATCH,
    )


@pytest.fixture
def session(spark: SparkSession) -> SparkSession:
    """A session with Spark's code generation, which the shared session has switched off."""
    compiling = spark.newSession()
    compiling.conf.set("spark.sql.adaptive.enabled", "false")
    return compiling


@contextmanager
def running_query(
    session: SparkSession,
    settings: DetectorSettings,
    stack: PrivateStack,
    on_batch: Callable[[MicroBatch], None],
) -> Iterator[StreamingQuery]:
    """Run the query on the shop's purchases, from their beginning or the checkpoint."""
    query = start_query(session, settings, stack.kafka("detector"), TRANSACTION_TOPIC, on_batch)
    try:
        yield query
    finally:
        query.stop()


def fail_in_the_fourth_batch(
    session: SparkSession, settings: DetectorSettings, stack: PrivateStack
) -> list[MicroBatch]:
    """Leave a checkpoint whose last batch is not committed; return the delivered batches."""
    delivered: list[MicroBatch] = []

    def fail_once(batch: MicroBatch) -> None:
        delivered.append(batch)
        if len(delivered) == 4:
            raise RuntimeError("the batch fails once")

    with (
        running_query(session, settings, stack, fail_once) as query,
        pytest.raises(StreamingQueryException, match="the batch fails once"),
    ):
        query.awaitTermination()
    return delivered


def test_a_replayed_batch_keeps_its_time(
    session: SparkSession, settings: DetectorSettings, stack: PrivateStack
) -> None:
    before = fail_in_the_fourth_batch(session, settings, stack)
    after: list[MicroBatch] = []
    with running_query(session, settings, stack, after.append):
        eventually(lambda: len(after) >= 4, within_seconds=120, what="four more batches")

    failed, replayed = before[-1], after[0]
    assert (replayed.batch_id, replayed.is_rerun) == (failed.batch_id, True)
    assert replayed.decided_at_ms == failed.decided_at_ms
    assert (replayed.ends, replayed.values) == (failed.ends, failed.values)
    # Every other batch has a later time of its own.
    others = before + after[1:]
    assert not any(one.is_rerun for one in others)
    times = [one.decided_at_ms for one in others]
    assert times == sorted(set(times))


def test_a_batch_whose_time_is_not_logged_ends_the_query(
    session: SparkSession, settings: DetectorSettings, stack: PrivateStack
) -> None:
    batch_id = fail_in_the_fourth_batch(session, settings, stack)[-1].batch_id
    logged = checkpoint_folder(settings) / "offsets"
    version, metadata, offsets = (logged / str(batch_id)).read_text().splitlines()
    timeless = {key: value for key, value in json.loads(metadata).items() if key != TIME_KEY}
    (logged / str(batch_id)).write_text("\n".join([version, json.dumps(timeless), offsets]))
    (logged / f".{batch_id}.crc").unlink(missing_ok=True)
    delivered: list[MicroBatch] = []
    with (
        running_query(session, settings, stack, delivered.append) as query,
        pytest.raises(StreamingQueryException, match=r"checkpoint is damaged.*its time cannot be"),
    ):
        query.awaitTermination()
    assert delivered == []


def test_after_the_first_batches_no_trigger_compiles_code(
    session: SparkSession, settings: DetectorSettings, stack: PrivateStack
) -> None:
    jvm: Any = session._jvm
    compiled = jvm.org.apache.spark.metrics.source.CodegenMetrics.METRIC_COMPILATION_TIME()
    began, counts = compiled.getCount(), list[int]()
    # A literal that no query had before: its code is in no cache, whatever test came first.
    session.range(3).where(f"id <> {time.time_ns()}").collect()
    assert compiled.getCount() > began, "nothing was compiled: the session generates no code"
    with running_query(session, settings, stack, lambda _: counts.append(compiled.getCount())):
        eventually(lambda: len(counts) >= BATCHES, within_seconds=120, what=f"{BATCHES} batches")
    assert set(counts[WARM_UP_BATCHES:]) == {counts[WARM_UP_BATCHES]}
