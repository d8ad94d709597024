"""Join purchases with risk-view features point in time, as if a view had been built each hour.

For training and benchmarks: the features of the hourly job, for all hours of the past in one pass
over sorted columns instead of hour by hour. A test compares it with the job's definitions.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.views.catalogue import (
    VALID_AFTER_MS,
    VIEW_FEATURES,
    WINDOW_MS,
)
from fraudwatch.domain.views.merchants_as_of import Columns, merchants_as_of
from fraudwatch.domain.views.past import LabelChanges, PastPurchases
from fraudwatch.domain.views.spans import FOREVER_MS, Entities, Spans, hour_of
from fraudwatch.domain.views.view import with_ages

__all__ = ["view_features_as_of"]


def view_features_as_of(
    purchases: PastPurchases, labels: LabelChanges, *, label_delay_ms: int
) -> Float64s:
    """Return [row, VIEW_FEATURES]: each purchase's features in the view valid at its time.

    That view covers the newest whole hour that had ended VALID_AFTER_MS before the purchase
    happened; it contains nothing that came after that hour. Unknown is NaN. There is a view of
    every hour here, so none is ever too old.

    Args:
        purchases: All purchases that the lake would have contained.
        labels: Their labels, and when each label changed.
        label_delay_ms: Age from which a purchase without a fraud label is genuine.
    """
    hour = hour_of(purchases.event_at_ms - VALID_AFTER_MS)
    merchants = Entities.of(purchases.merchant_key, hour)
    merchant_columns = merchants_as_of(purchases, labels, merchants, label_delay_ms)
    reached = Spans.of(
        merchants.number,
        purchases.event_at_ms,
        purchases.event_at_ms + label_delay_ms + WINDOW_MS,
    )
    merchant_columns["merchant_customers_30d"] = _customers(purchases, merchants).astype(np.float64)
    columns = merchants.spread(merchant_columns, reached.count(merchants.query) > 0)
    for keys, name in (
        (purchases.device_key, "device_customers_30d"),
        (purchases.ip_network_key, "ip_network_customers_30d"),
    ):
        entities = Entities.of(keys, hour)
        customers = _customers(purchases, entities)
        columns |= entities.spread({name: customers.astype(np.float64)}, customers > 0)
    columns |= _first_seen(purchases, Entities.of(purchases.customer_key, hour))
    vectors = np.stack([columns[one.view_column] for one in VIEW_FEATURES], axis=1)
    return with_ages(vectors, purchases.event_at_ms)


def _customers(purchases: PastPurchases, entities: Entities) -> Int64s:
    """Count the customers of each queried entity in the window.

    A customer counts from a purchase until the next one, which then counts instead.
    """
    at_ms, customer, number = purchases.event_at_ms, purchases.customer_key, entities.number
    order = np.lexsort((at_ms, customer, number))
    at_ms, customer, number = at_ms[order], customer[order], number[order]
    until_ms = at_ms + WINDOW_MS
    continues = (number[1:] == number[:-1]) & (customer[1:] == customer[:-1])
    until_ms[:-1][continues] = np.minimum(until_ms[:-1], at_ms[1:])[continues]
    return Spans.of(number, at_ms, until_ms).count(entities.query)


def _first_seen(purchases: PastPurchases, customers: Entities) -> Columns:
    first_ms = np.full(int(customers.number.max(initial=-1)) + 1, FOREVER_MS)
    np.minimum.at(first_ms, customers.number, purchases.event_at_ms)
    query = customers.query
    first_seen = {"customer_first_seen_ms": first_ms[query.owner].astype(np.float64)}
    return customers.spread(first_seen, hour_of(first_ms)[query.owner] < query.hour)
