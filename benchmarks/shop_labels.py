"""Label the shop's purchases as card issuers do, and as if no fraud were missed."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from benchmarks.shop_log import ShopTable
from fraudwatch.domain.arrays import Bools, Int64s
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.views.past import LabelChanges

LABEL_DELAY_DAYS: Final = 7


class Labels(NamedTuple):
    """Labels with the time at which each is known, under the name of their kind."""

    name: str
    changes: LabelChanges


def labels_of(table: ShopTable) -> tuple[Labels, Labels]:
    """Return the chargebacks, and every fraud known a label delay after it happened."""
    reported, frauds = np.flatnonzero(table.reported_ms), np.flatnonzero(table.is_fraud)
    known_ms = table.event_at_ms[frauds] + LABEL_DELAY_DAYS * DAY_MS
    return (
        Labels("chargebacks", _all_fraud(reported, table.reported_ms[reported])),
        Labels("every fraud", _all_fraud(frauds, known_ms)),
    )


def fraud_known_by(labels: LabelChanges, at_ms: int, rows: int) -> Bools:
    """Mark the purchases that were labelled as fraud by then."""
    is_fraud = np.zeros(rows, dtype=np.bool_)
    is_fraud[labels.row[labels.known_at_ms <= at_ms]] = True
    return is_fraud


def _all_fraud(row: Int64s, known_at_ms: Int64s) -> LabelChanges:
    return LabelChanges(row, known_at_ms, np.ones(len(row), dtype=np.bool_))
