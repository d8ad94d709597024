"""What goes into the fold and what comes out of it, as columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.features.state import Float64s, Int64s, UInt64s

Bools = npt.NDArray[np.bool_]


class Events(NamedTuple):
    """A run of transactions, in the order of (partition, offset).

    Keys are fixed 64-bit hashes; of merchant, device, country and category 0 says unknown.
    """

    customer_key: UInt64s
    transaction_key: UInt64s
    event_at_ms: Int64s
    amount_eur_cents: Int64s
    is_approved: Bools
    is_present: Bools
    latitude: Float64s  # where it happened; NaN unknown, like every float here
    longitude: Float64s
    billing_latitude: Float64s
    billing_longitude: Float64s
    shipping_latitude: Float64s
    shipping_longitude: Float64s
    item_count: Float64s
    category_key: UInt64s
    merchant_key: UInt64s
    device_key: UInt64s
    country_key: UInt64s


class Folded(NamedTuple):
    """What the fold says of each event: its feature vector, or why it has none."""

    features: Float64s  # [event, feature]; NaN unknown, and for an event without
    is_repeat: Bools
    is_too_late: Bools  # refused: its customer is a month further on
