"""Measure the memory of the detector's state: made-up purchases through the fold, in process.

Every customer buys ten times within 30 days, as far as chance distributes them: from 6 merchants
of their own in 9 of 10 cases, else from any; in 4 categories, on 1 or 2 devices, in 1 country, in
8 hours of the day; 5 of 100 payments fail and 2 arrive up to a day late. Afterwards all rows are
taken in parts, as an incremental snapshot does. No Spark, no Kafka.

Example: python -m benchmarks.state_memory --customers 1000000 --json
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import psutil

from benchmarks.machine import machine
from fraudwatch.domain.arrays import Int64s, UInt64s
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.fold import features_version, fold
from fraudwatch.domain.features.hashing import hash_strings
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS

_BEGIN_MS: Final = 1_795_262_400_000
_DAYS: Final = 30
_AT_ONCE: Final = 100_000
_ROWS_OF_PART: Final = 16_384
_MIB: Final = 2**20
# Shares of the purchases; see above.
_LATE, _FAILED, _PRESENT, _OWN_MERCHANT, _OTHER_DEVICE = 0.02, 0.05, 0.5, 0.9, 0.2


def measure(customers: int, purchases: int) -> dict[str, Any]:
    """Fold the purchases and report memory, time and the size of a copy."""
    fold(CustomerState(), next(purchases_of(10, 1)))  # compiles
    before, state, seconds = rss_bytes(), CustomerState(), 0.0
    for events in purchases_of(customers, purchases):
        began = time.process_time()
        fold(state, events)
        seconds += time.process_time() - began
    folded, copied = rss_bytes(), 0
    while state.changed:
        part = state.take_changed(_ROWS_OF_PART)
        copied += sum(column.nbytes for column in (part.keys, *part.rows))
    return {
        "customers": state.customers,
        "purchases": customers * purchases,
        "bytes_per_customer": round((folded - before) / state.customers),
        "copied_bytes_per_customer": round(copied / state.customers),
        "microseconds_per_purchase": round(seconds / (customers * purchases) * 1e6, 2),
        "rss_mib_before": before // _MIB,
        "rss_mib": folded // _MIB,
        "rss_mib_after_copying": rss_bytes() // _MIB,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "features_version": features_version(),
        "machine": machine(),
    }


def rss_bytes() -> int:
    """Return the resident memory of this process."""
    return int(psutil.Process().memory_info().rss)


def purchases_of(customers: int, purchases: int) -> Iterator[Events]:
    """Yield purchases in batches, in the order in which they were produced."""
    chance, total = np.random.default_rng(7), customers * purchases
    for first in range(0, total, _AT_ONCE):
        numbers = np.arange(first, min(first + _AT_ONCE, total))
        produced_at_ms = _BEGIN_MS + numbers * (_DAYS * DAY_MS) // total
        yield _batch(chance, numbers, chance.integers(0, customers, len(numbers)), produced_at_ms)


def _batch(
    chance: np.random.Generator, numbers: Int64s, customer: Int64s, produced_at_ms: Int64s
) -> Events:
    count = len(numbers)
    some, unknown = chance.random((5, count)), np.full(count, np.nan)
    day_ms = produced_at_ms // DAY_MS * DAY_MS
    hour = (customer % 17 + chance.integers(0, 8, count)) % 24
    late_ms = np.where(some[0] < _LATE, chance.integers(0, DAY_MS, count), 0)
    own_merchant = customer * 31 + chance.integers(0, 6, count)
    return Events(
        customer_key=_keys("customer", customer),
        transaction_key=_keys("transaction", numbers),
        event_at_ms=np.minimum(day_ms + hour * HOUR_MS, produced_at_ms) - late_ms,
        produced_at_ms=produced_at_ms,
        amount_eur_cents=np.exp(chance.normal(8, 1, count)).astype(np.int64),
        is_approved=some[1] >= _FAILED,
        is_present=some[2] < _PRESENT,
        latitude=np.where(some[2] < _PRESENT, 45 + 10 * some[4], np.nan),
        longitude=20 * some[3],
        billing_latitude=unknown,
        billing_longitude=unknown,
        shipping_latitude=unknown,
        shipping_longitude=unknown,
        item_count=np.ones(count),
        category_key=_keys("category", customer % 9 + chance.integers(0, 4, count)),
        merchant_key=_keys(
            "merchant", np.where(some[3] < _OWN_MERCHANT, own_merchant, numbers) % 50_000
        ),
        device_key=_keys("device", customer * 2 + (some[4] < _OTHER_DEVICE)),
        country_key=_keys("country", customer % 30),
    )


def _keys(kind: str, numbers: Int64s) -> UInt64s:
    texts = [f"{kind}{number}".encode() for number in numbers.tolist()]
    starts = np.concatenate(([0], np.cumsum([len(text) for text in texts])))
    return np.asarray(hash_strings(starts, np.frombuffer(b"".join(texts), dtype=np.uint8)))


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10, help="of each customer, on average")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    arguments = parser.parse_args()
    report = measure(arguments.customers, arguments.purchases)
    lines = [json.dumps(report, indent=2)]
    if not arguments.json:
        lines = [f"{name}: {value}" for name, value in report.items()]
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
