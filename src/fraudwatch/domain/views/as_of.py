"""What risk views would have told every purchase of a table, had one been built each hour.

For training and benchmarks: what the hourly job says, for all hours of the past in one pass over
sorted columns instead of hour by hour. A test holds it equal to the job's sentences.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.views.catalogue import (
    LABEL_DELAY_MS,
    VALID_AFTER_MS,
    VIEW_FEATURES,
    WINDOW_MS,
)
from fraudwatch.domain.views.merchants_as_of import Columns, merchants_as_of
from fraudwatch.domain.views.past import PastPurchases, TruthChanges
from fraudwatch.domain.views.spans import FOREVER_MS, Entities, Int64s, Spans, hour_of
from fraudwatch.domain.views.view import Float64s, with_ages

__all__ = ["PastPurchases", "TruthChanges", "view_features_as_of"]


def view_features_as_of(
    purchases: PastPurchases, truths: TruthChanges, *, label_delay_ms: int = LABEL_DELAY_MS
) -> Float64s:
    """[row, VIEW_FEATURES]: what the view of its own time says of each purchase, NaN unknown.

    That view is of the newest whole hour that was over by VALID_AFTER_MS when the purchase
    happened; it knows nothing that came after that hour.

    Args:
        purchases: All that the lake would have held.
        truths: What was believed of them, and since when.
        label_delay_ms: From which age on a purchase that nobody calls fraud is genuine.
    """
    hour = hour_of(purchases.event_at_ms - VALID_AFTER_MS)
    merchants = Entities.of(purchases.merchant_key, hour)
    told = merchants_as_of(purchases, truths, merchants, label_delay_ms)
    reached = Spans.of(
        merchants.number,
        purchases.event_at_ms,
        purchases.event_at_ms + label_delay_ms + WINDOW_MS,
    )
    told["merchant_customers_30d"] = _customers(purchases, merchants).astype(np.float64)
    columns = merchants.spread(told, reached.count(merchants.asked) > 0)
    for keys, name in (
        (purchases.device_key, "device_customers_30d"),
        (purchases.ip_network_key, "ip_network_customers_30d"),
    ):
        entities = Entities.of(keys, hour)
        customers = _customers(purchases, entities)
        columns |= entities.spread({name: customers.astype(np.float64)}, customers > 0)
    columns |= _first_seen(purchases, Entities.of(purchases.customer_key, hour))
    vectors = np.stack([columns[one.held_as] for one in VIEW_FEATURES], axis=1)
    return with_ages(vectors, purchases.event_at_ms)


def _customers(purchases: PastPurchases, entities: Entities) -> Int64s:
    """Customers that each asked entity had in the window.

    A customer counts from a purchase on until the next one, which counts instead.
    """
    at_ms, customer, number = purchases.event_at_ms, purchases.customer_key, entities.number
    order = np.lexsort((at_ms, customer, number))
    at_ms, customer, number = at_ms[order], customer[order], number[order]
    until_ms = at_ms + WINDOW_MS
    goes_on = (number[1:] == number[:-1]) & (customer[1:] == customer[:-1])
    until_ms[:-1][goes_on] = np.minimum(until_ms[:-1], at_ms[1:])[goes_on]
    return Spans.of(number, at_ms, until_ms).count(entities.asked)


def _first_seen(purchases: PastPurchases, customers: Entities) -> Columns:
    first_ms = np.full(int(customers.number.max(initial=-1)) + 1, FOREVER_MS)
    np.minimum.at(first_ms, customers.number, purchases.event_at_ms)
    asked = customers.asked
    told = {"customer_first_seen_ms": first_ms[asked.whose].astype(np.float64)}
    return customers.spread(told, hour_of(first_ms)[asked.whose] < asked.hour)
