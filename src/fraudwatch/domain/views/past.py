"""What the lake holds, as columns: purchases, what became of them, and when that was known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.views.catalogue import STANDS_OUT_TIMES, WINDOW_MS
from fraudwatch.domain.views.spans import FOREVER_MS, Bools, Int64s
from fraudwatch.domain.views.view import UInt64s


class PastPurchases(NamedTuple):
    """Purchases in any order. Keys are hashes of names, 0 unknown; the customer's never is."""

    event_at_ms: Int64s
    is_approved: Bools
    merchant_key: UInt64s
    customer_key: UInt64s
    device_key: UInt64s
    ip_network_key: UInt64s
    amount_eur_cents: Int64s


class TruthChanges(NamedTuple):
    """From when on what is believed of a purchase; of one instant the last row counts."""

    row: Int64s  # of the purchases
    known_at_ms: Int64s
    is_fraud: Bools  # False: genuine, or nobody is sure any more


class FraudSpells(NamedTuple):
    """From when until when a purchase was known to be fraud."""

    row: Int64s
    known_at_ms: Int64s
    until_ms: Int64s

    def among(self, is_wanted: Bools) -> FraudSpells:
        """Some of them."""
        return FraudSpells(*(column[is_wanted] for column in self))


def fraud_spells(truths: TruthChanges) -> FraudSpells:
    """A spell ends when something else is believed."""
    order = np.lexsort((truths.known_at_ms, truths.row))
    row, known_at_ms, is_fraud = (
        truths.row[order],
        truths.known_at_ms[order],
        truths.is_fraud[order],
    )
    until_ms = np.full(len(row), FOREVER_MS)
    has_next = row[1:] == row[:-1]
    until_ms[:-1][has_next] = known_at_ms[1:][has_next]
    return FraudSpells(row, known_at_ms, until_ms).among(is_fraud)


def are_plain(purchases: PastPurchases, rows: Int64s) -> Bools:
    """Whether the amount of each row is a usual one for its customer; see the catalogue.

    Rows are few beside the purchases: known frauds.
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
            found[i] = purchases.amount_eur_cents[row] <= STANDS_OUT_TIMES * usual
    return found
