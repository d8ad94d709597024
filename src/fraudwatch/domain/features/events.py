"""Input and output of the fold, as columns."""

from __future__ import annotations

from typing import NamedTuple

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s


class Events(NamedTuple):
    """Batch of transactions in the order of (partition, offset).

    Keys are fixed 64-bit hashes; 0 is an unknown merchant, device, country or category. A position
    of exactly 0, 0 is unknown as well: it is what terminals without one send.
    """

    customer_key: UInt64s
    transaction_key: UInt64s
    event_at_ms: Int64s
    produced_at_ms: Int64s  # when its message was written to the log, by Kafka's timestamp
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
    """Result of the fold for each event: its feature vector, or why it has none."""

    features: Float64s  # [event, feature]; NaN unknown, and for an event without
    is_repeat: Bools
    is_too_late: Bools  # more than 30 days before its customer's last event
    is_late: Bools  # before its customer's last event, and folded
