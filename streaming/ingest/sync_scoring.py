"""Purchases taken for a caller who waits for their verdicts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from fraudwatch.application.intake.intake import Taken
from fraudwatch.application.intake.pending_verdicts import Expectations
from fraudwatch.application.ports import VerdictListener, VerdictsUnheard
from fraudwatch.domain.messages.purchase import Purchase, transaction_id_of
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.observability.metrics import counter
from streaming.ingest.channel import Door

log = logging.getLogger("ingest")

_timed_out = counter("fraudwatch_ingest_waits_timed_out")


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who waits, and what hears for them."""

    expectations: Expectations
    listener: VerdictListener


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller is told of a verdict."""

    transaction_id: str
    outcome: Outcome
    risk: Risk
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Waited:
    """What was taken, the verdicts that came in time, and the purchases without one."""

    accepted: int
    repeated: int
    verdicts: list[Told]
    pending: list[str]


async def take_and_wait(
    purchases: Sequence[Purchase],
    door: Door[Purchase],
    hearing: Hearing,
    *,
    wait_seconds: float,
) -> Waited:
    """Take purchases in as anybody's, then wait on the event loop, in no thread, for verdicts.

    They are expected before they are published, so that no verdict comes too early to be heard.

    Raises:
        RefusedBatch, NotDelivered: as for anybody.
    """
    names = list(dict.fromkeys(transaction_id_of(one.source, one.id) for one in purchases))
    with hearing.expectations.expecting(names) as expected:
        is_heard = await run_in_threadpool(_is_listening, hearing.listener)
        taken = await run_in_threadpool(door.take, purchases)
        found = await expected.of(
            taken.accepted_names, within_seconds=wait_seconds if is_heard else 0
        )
    if found.keys() != taken.accepted_names:
        _timed_out.inc()
    return _waited(names, taken, found)


def _is_listening(listener: VerdictListener) -> bool:
    try:
        listener.listen()
    except VerdictsUnheard as error:
        log.warning("%s", error)
        return False
    return True


def _waited(names: Sequence[str], taken: Taken, found: Mapping[str, Verdict]) -> Waited:
    return Waited(
        taken.accepted,
        taken.repeated,
        [_told(found[name]) for name in names if name in found],
        [name for name in names if name not in found],
    )


def _told(verdict: Verdict) -> Told:
    return Told(
        verdict.transaction_id, verdict.outcome, verdict.risk, verdict.score, verdict.reasons
    )
