"""Hold past purchases and their labels as columns, with the time at which each label was known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Int64s, UInt64s
from fraudwatch.domain.views.catalogue import UNUSUAL_TIMES_MEDIAN, WINDOW_MS
from fraudwatch.domain.views.spans import FOREVER_MS


class PastPurchases(NamedTuple):
    """Purchases in any order. Keys are hashes of names, 0 unknown; the customer is always known."""

    event_at_ms: Int64s
    is_approved: Bools
    merchant_key: UInt64s
    customer_key: UInt64s
    device_key: UInt64s
    ip_network_key: UInt64s
    amount_eur_cents: Int64s


class LabelChanges(NamedTuple):
    """Changes of purchases' labels in time; of one instant the last row counts."""

    row: Int64s  # of the purchases
    known_at_ms: Int64s
    is_fraud: Bools  # False: genuine, or unsure again


class FraudIntervals(NamedTuple):
    """Intervals in which a purchase was known to be fraud."""

    row: Int64s
    known_at_ms: Int64s
    until_ms: Int64s

    def among(self, is_wanted: Bools) -> FraudIntervals:
        """Select some of them."""
        return FraudIntervals(*(column[is_wanted] for column in self))


def fraud_intervals(labels: LabelChanges) -> FraudIntervals:
    """Build the intervals of fraud labels; one ends when the label changes."""
    order = np.lexsort((labels.known_at_ms, labels.row))
    row, known_at_ms, is_fraud = (
        labels.row[order],
        labels.known_at_ms[order],
        labels.is_fraud[order],
    )
    until_ms = np.full(len(row), FOREVER_MS)
    has_next = row[1:] == row[:-1]
    until_ms[:-1][has_next] = known_at_ms[1:][has_next]
    return FraudIntervals(row, known_at_ms, until_ms).among(is_fraud)


def are_plain(purchases: PastPurchases, rows: Int64s) -> Bools:
    """Check whether the amount of each row is usual for its customer; see the catalogue.

    Rows are known frauds, so they are few.
    """
    customers = np.unique(purchases.customer_key[rows])
    is_theirs = np.isin(purchases.customer_key, customers) & purchases.is_approved
    theirs = np.flatnonzero(is_theirs)
    theirs = theirs[np.lexsort((purchases.event_at_ms[theirs], purchases.customer_key[theirs]))]
    first = np.searchsorted(purchases.customer_key[theirs], purchases.customer_key[rows])
    last = np.searchsorted(purchases.customer_key[theirs], purchases.customer_key[rows], "right")
    at_ms, amounts = purchases.event_at_ms[theirs], purchases.amount_eur_cents[theirs]
    found = np.ones(len(rows), dtype=np.bool_)
    for i, row in enumerate(rows.tolist()):
        now = purchases.event_at_ms[row]
        span = slice(first[i], last[i])
        begin, end = np.searchsorted(at_ms[span], (now - WINDOW_MS, now)) + first[i]
        if begin < end:
            usual = np.median(amounts[begin:end])
            found[i] = purchases.amount_eur_cents[row] <= UNUSUAL_TIMES_MEDIAN * usual
    return found
