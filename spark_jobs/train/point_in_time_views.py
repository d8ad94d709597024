"""Compute point-in-time view features of the lake's purchases, for training.

All purchases and labels pass through the driver's memory, some 150 bytes a purchase: ten million
are 1.5 GB. The rule is the stream's own, :mod:`fraudwatch.domain.views.as_of`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from fraudwatch.adapters.codecs.log_fold import packed
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.training.label_history import LabelChange

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from fraudwatch.domain.views.past import LabelChanges, PastPurchases

_KEYS: Final = {
    "merchant_key": "merchant_id",
    "customer_key": "customer_token",
    "device_key": "device_token",
    "ip_network_key": "ip_network_token",
}


class Past(NamedTuple):
    """All purchases before an instant, in columns, with their ids."""

    transaction_id: pa.ChunkedArray
    purchases: PastPurchases


def point_in_time_views(
    purchases: DataFrame,
    changes: Iterable[LabelChange],
    span_ms: tuple[int, int],
    label_delay_ms: int,
) -> DataFrame:
    """Compute ``transaction_id`` and packed ``view_features`` of every purchase in a time span."""
    from fraudwatch.domain.views.as_of import view_features_as_of

    from_ms, until_ms = span_ms
    past = past_of(purchases, until_ms)
    features = view_features_as_of(
        past.purchases, changes_by_row(past, changes), label_delay_ms=label_delay_ms
    )
    return views_frame(purchases.sparkSession, past, features, from_ms)


def past_of(purchases: DataFrame, until_ms: int) -> Past:
    """Read all purchases before an instant, from log and extract: some 100 bytes each."""
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    from fraudwatch.domain.views.past import PastPurchases

    names = ("transaction_id", "event_at_ms", "payment_status", "amount_eur_cents", *_KEYS.values())
    rows = purchases.where(F.col("event_at_ms") < until_ms).select(*names).toArrow()
    keys = {name: keys_of(rows.column(column).to_pylist()) for name, column in _KEYS.items()}
    amounts = rows.column("amount_eur_cents").fill_null(0).to_numpy()
    status = rows.column("payment_status").to_numpy(zero_copy_only=False)
    columns = PastPurchases(
        event_at_ms=rows.column("event_at_ms").to_numpy().astype(np.int64),
        is_approved=(status == PaymentStatus.APPROVED).astype(np.bool_),
        amount_eur_cents=amounts.astype(np.int64),
        **keys,
    )
    return Past(rows.column("transaction_id"), columns)


def changes_by_row(past: Past, changes: Iterable[LabelChange]) -> LabelChanges:
    """Index label changes by the purchase's row; those of purchases not in the lake are skipped."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from fraudwatch.domain.views.past import LabelChanges

    known = list(changes)
    names = pa.array([one.transaction_id for one in known], pa.string())
    place = pc.index_in(names, value_set=past.transaction_id.combine_chunks()).fill_null(-1)
    row = place.to_numpy(zero_copy_only=False).astype(np.int64)
    is_known = row >= 0
    return LabelChanges(
        row[is_known],
        np.array([one.known_at_ms for one in known], dtype=np.int64)[is_known],
        np.array([one.value is LabelValue.FRAUD for one in known], dtype=np.bool_)[is_known],
    )


def views_frame(spark: SparkSession, past: Past, features: Float64s, from_ms: int) -> DataFrame:
    """Build the DataFrame of packed view features of each purchase since an instant."""
    import pyarrow as pa

    chosen = np.flatnonzero(past.purchases.event_at_ms >= from_ms)
    names = past.transaction_id.take(pa.array(chosen))
    values = pa.array(packed(features[chosen]), pa.binary())
    return spark.createDataFrame(pa.table({"transaction_id": names, "view_features": values}))
