"""Compute features of archived messages with the compiled fold in Spark's tasks.

The fold's state is per customer, and a message's key is its customer. So messages are split by key
over any number of tasks, and each folds a customer's messages in the order of (partition, offset):
every row's bytes equal those of one fold over all messages in that order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fraudwatch.adapters.codecs.log_fold import fold_messages, packed_column
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.hashing import hash_strings
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.time_units import DAY_MS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_SCHEMA = """transaction_id STRING, source_partition INT, source_offset BIGINT, features BINARY,
  features_version STRING, event_on DATE"""


class WrongKey(ValueError):
    """A message is not keyed by its customer, so a split by key would separate customers."""


def features_of(archived: DataFrame, splits: int) -> DataFrame:
    """Compute the features of every message that the fold accepts; ``archived`` is a raw topic.

    Args:
        archived: Its columns key, value, produced_at, source_partition and source_offset.
        splits: Tasks; any number gives the same rows, one for each core is fastest.
    """
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    return (
        archived.select(
            "source_partition",
            "source_offset",
            F.unix_millis("produced_at").alias("produced_at_ms"),
            "key",
            F.coalesce("value", F.lit(b"")).alias("value"),  # refused, as in the stream
            F.xxhash64("key").alias("customer"),
        )
        .repartition(splits, "customer")
        # One customer after the other, which bounds a task's state: see _of_last.
        .sortWithinPartitions("customer", "key", "source_partition", "source_offset")
        .mapInArrow(_folded, _SCHEMA)
    )


def _folded(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    customers = CustomerState()
    for batch in batches:
        if batch.num_rows:
            yield _fold_batch(customers, batch)
            customers = _of_last(customers, batch)


def _of_last(customers: CustomerState, batch: pa.RecordBatch) -> CustomerState:
    """Keep only the state of the batch's last customer; all others are complete.

    A task's memory is then that of a batch, and a customer's row stays in the processor's cache.
    """
    last = (batch.column("key")[-1].as_py() or "").encode()
    key = hash_strings(np.array([0, len(last)]), np.frombuffer(last, dtype=np.uint8))
    return CustomerState.from_copy(customers.copied(customers.rows_of(key)))


def _fold_batch(customers: CustomerState, batch: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa

    produced_at_ms = batch.column("produced_at_ms").to_numpy()
    folded = fold_messages(customers, batch.column("value").to_pylist(), produced_at_ms)
    accepted = pa.array(folded.position)
    check_keys(batch.column("key").take(accepted), folded.frame["customer_token"].to_arrow())
    days = (folded.frame["event_at_ms"].to_numpy() // DAY_MS).astype(np.int32)
    columns: dict[str, Any] = {
        "transaction_id": folded.frame["transaction_id"].to_arrow().cast(pa.string()),
        "source_partition": batch.column("source_partition").take(accepted),
        "source_offset": batch.column("source_offset").take(accepted),
        "features": packed_column(folded.features),
        "features_version": pa.array([features_version()] * len(accepted), pa.string()),
        "event_on": pa.array(days).cast(pa.date32()),
    }
    return pa.RecordBatch.from_pydict(columns)


def check_keys(keys: Any, customer_tokens: Any) -> None:
    """Refuse messages that are not keyed by their customer.

    Raises:
        WrongKey: one of them is not.
    """
    import pyarrow as pa

    if not keys.equals(customer_tokens.cast(pa.string())):
        raise WrongKey(
            "a message of the archive is not keyed by its customer, so features would be wrong and "
            "nothing was written; find which other producer writes to transaction_topic"
        )
