"""Measure the time until a purchase's verdict can be read in Cassandra, by polling."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from cassandra.cluster import Session

from benchmarks.live_plan import LivePlan, id_of
from fraudwatch.adapters.store.session import KEYSPACE

SAMPLES_PER_SECOND = 4
# A long wait polls less often, so that polling does not slow the writes.
_POLL_SECONDS, _POLL_SHARE = 0.01, 0.05
_GIVE_UP_SECONDS = 30.0
_MAX_THREADS = 16


def row_times_ms(session: Session, source: str, plan: LivePlan) -> list[float]:
    """Return for sampled purchases of a live load the ms from due time to readable verdict.

    One without a verdict after 30 s counts with the time waited, so it improves no figure.
    """
    query = session.prepare(
        f"SELECT transaction_id FROM {KEYSPACE}.verdict_by_transaction WHERE transaction_id = ?"  # noqa: S608  names are ours
    )

    def wait_for(number: int) -> float:
        due_ms = plan.due_ms(number)
        while True:
            is_stored = session.execute(query, (id_of(source, number),)).one() is not None
            waited_seconds = time.time() - due_ms / 1000
            if is_stored or waited_seconds > _GIVE_UP_SECONDS:
                return waited_seconds * 1000
            time.sleep(max(_POLL_SECONDS, _POLL_SHARE * waited_seconds))

    with ThreadPoolExecutor(_MAX_THREADS, "rows") as pool:
        waits = []
        for number in _sampled(plan):
            time.sleep(max(0.0, plan.due_ms(number) / 1000 - time.time()))
            waits.append(pool.submit(wait_for, number))
        return [wait.result() for wait in waits]


def _sampled(plan: LivePlan) -> Iterable[int]:
    step = max(1, plan.per_second // SAMPLES_PER_SECOND)
    return range(plan.first_counted, plan.count, step)
