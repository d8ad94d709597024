"""Fold a range of the archive from customers' initial states to their final states.

As :mod:`fraudwatch.adapters.lake.spark_features`, but it starts from stored states, so that a day
is computed without the days before it, and also returns the final states. A customer's state
precedes their messages in the same task; any number of tasks, and any start day, give the same
bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fraudwatch.adapters.codecs.log_fold import fold_messages, packed
from fraudwatch.adapters.lake.spark_features import check_keys
from fraudwatch.domain.features.customer_rows import CustomerArrays
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.features.state import CustomerState
from spark_jobs.reconcile.customer_state_bytes import state_bytes, with_states

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

# A purchase's row has no state, and a state's row has no transaction.
_SCHEMA: Final = """customer_token STRING, state BINARY, transaction_id STRING,
  source_partition INT, source_offset BIGINT, event_at_ms BIGINT, value BINARY, features BINARY"""
_STATE_PLACE: Final = -1  # sorts before every partition


def fold_on(archived: DataFrame, states: DataFrame, splits: int) -> DataFrame:
    """Fold messages onto states: a row for each accepted purchase and each customer's final state.

    Args:
        archived: Columns key, value, produced_at, source_partition, source_offset of a raw topic;
            and ``emit_features``: whether to emit a row, or only to update the state.
        states: customer_token and state, of any of those customers; each at most once.
        splits: Tasks.
    """
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    messages = archived.select(
        F.coalesce("key", F.lit("")).alias("key"),
        "source_partition",
        "source_offset",
        F.unix_millis("produced_at").alias("produced_at_ms"),
        F.coalesce("value", F.lit(b"")).alias("value"),
        "emit_features",
    )
    active = messages.select(F.col("key").alias("customer_token")).distinct()
    begin = states.join(active, "customer_token", "left_semi").select(
        F.col("customer_token").alias("key"),
        F.lit(_STATE_PLACE).alias("source_partition"),
        F.lit(_STATE_PLACE).cast("bigint").alias("source_offset"),
        F.lit(0).cast("bigint").alias("produced_at_ms"),
        F.col("state").alias("value"),
        F.lit(False).alias("emit_features"),
    )
    return (
        messages.unionByName(begin)
        .withColumn("customer", F.xxhash64("key"))
        .repartition(splits, "customer")
        .sortWithinPartitions("customer", "key", "source_partition", "source_offset")
        .mapInArrow(_folded, _SCHEMA)
    )


def _folded(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    customers, last = CustomerState(), ""
    for batch in batches:
        if batch.num_rows:
            tokens = {last, *batch.column("key").to_pylist()}
            customers = _with_initial(customers, batch)
            yield _fold_batch(customers, batch)
            last = batch.column("key")[-1].as_py()
            ended, customers = _split_off(customers, last)
            yield _states_of(ended, tokens)
    yield _states_of(customers.copied(), {last})


def _with_initial(customers: CustomerState, batch: pa.RecordBatch) -> CustomerState:
    states = batch.filter(_is_state(batch))
    keys = keys_of(states.column("key").to_pylist())
    return with_states(customers, keys, states.column("value").to_pylist())


def _is_state(batch: pa.RecordBatch) -> Any:
    import pyarrow.compute as pc

    return pc.equal(batch.column("source_partition"), _STATE_PLACE)


def _split_off(customers: CustomerState, last: str) -> tuple[CustomerArrays, CustomerState]:
    """Split off all customers but the batch's last, who may continue in the next batch."""
    known, [key] = customers.copied(), keys_of([last])
    is_last = known.keys == key
    return known.chosen(~is_last), CustomerState.from_copy(known.chosen(is_last))


def _states_of(ended: CustomerArrays, tokens: set[str]) -> pa.RecordBatch:
    named = sorted(tokens - {""})
    by_key = dict(zip(keys_of(named).tolist(), named, strict=True))
    tokens_in_order = [by_key.get(key) for key in ended.keys.tolist()]
    columns = {"customer_token": tokens_in_order, "state": state_bytes(ended.rows)}
    return _laid_out(columns, len(tokens_in_order))


def _fold_batch(customers: CustomerState, batch: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa
    import pyarrow.compute as pc

    messages = batch.filter(pc.invert(_is_state(batch)))
    produced_at_ms = messages.column("produced_at_ms").to_numpy()
    folded = fold_messages(customers, messages.column("value").to_pylist(), produced_at_ms)
    accepted = messages.take(pa.array(folded.position))
    check_keys(accepted.column("key"), folded.frame["customer_token"].to_arrow())
    chosen = np.flatnonzero(accepted.column("emit_features").to_numpy(zero_copy_only=False))
    emitted, frame = accepted.take(pa.array(chosen)), folded.frame[chosen]
    columns = {
        "customer_token": emitted.column("key"),
        "transaction_id": frame["transaction_id"].to_arrow().cast(pa.string()),
        "source_partition": emitted.column("source_partition"),
        "source_offset": emitted.column("source_offset"),
        "event_at_ms": frame["event_at_ms"].to_arrow(),
        "value": emitted.column("value"),
        "features": packed(folded.features[chosen]),
    }
    return _laid_out(columns, len(chosen))


def _laid_out(columns: dict[str, Any], rows: int) -> pa.RecordBatch:
    import pyarrow as pa

    schema = pa.schema(
        [
            ("customer_token", pa.string()), ("state", pa.binary()),
            ("transaction_id", pa.string()), ("source_partition", pa.int32()),
            ("source_offset", pa.int64()), ("event_at_ms", pa.int64()),
            ("value", pa.binary()), ("features", pa.binary()),
        ]
    )  # fmt: skip
    arrays = []
    for field in schema:
        given = columns.get(field.name)
        if given is None:
            arrays.append(pa.nulls(rows, field.type))
        elif isinstance(given, list):
            arrays.append(pa.array(given, field.type))
        else:
            arrays.append(given.cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
