"""When a purchase's verdict can be read in Cassandra: looked for, a few times a second."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from cassandra.cluster import Session

from benchmarks.live_plan import LivePlan, id_of
from fraudwatch.adapters.store.session import KEYSPACE

SAMPLES_PER_SECOND = 4
# Whoever waits long looks seldom: looking must not be what slows the writing.
_LOOK_AGAIN_SECONDS, _LOOK_AGAIN_SHARE = 0.01, 0.05
_GIVE_UP_SECONDS = 30.0
_AT_ONCE = 16


def row_times_ms(session: Session, source: str, plan: LivePlan) -> list[float]:
    """For some purchases of a live load: from due until their verdict is found, in ms.

    One that is not found in 30 s counts with the time waited, so no figure looks better for it.
    """
    asked = session.prepare(
        f"SELECT transaction_id FROM {KEYSPACE}.verdict_by_transaction WHERE transaction_id = ?"  # noqa: S608  names are ours
    )

    def wait_for(number: int) -> float:
        due_ms = plan.due_ms(number)
        while True:
            is_there = session.execute(asked, (id_of(source, number),)).one() is not None
            waited_seconds = time.time() - due_ms / 1000
            if is_there or waited_seconds > _GIVE_UP_SECONDS:
                return waited_seconds * 1000
            time.sleep(max(_LOOK_AGAIN_SECONDS, _LOOK_AGAIN_SHARE * waited_seconds))

    with ThreadPoolExecutor(_AT_ONCE, "rows") as pool:
        looking = []
        for number in _sampled(plan):
            time.sleep(max(0.0, plan.due_ms(number) / 1000 - time.time()))
            looking.append(pool.submit(wait_for, number))
        return [one.result() for one in looking]


def _sampled(plan: LivePlan) -> Iterable[int]:
    step = max(1, plan.per_second // SAMPLES_PER_SECOND)
    return range(plan.first_counted, plan.count, step)
