"""Synchronous scoring: submit purchases and wait for their verdicts.

A repeated purchase gets the verdict of the first: from the store, or from the log while it is not
stored yet. Without the store it is accepted and pending, as a new one whose verdict takes longer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.concurrency import run_in_threadpool

from fraudwatch.application.intake.intake import IngestResult
from fraudwatch.application.intake.pending_verdicts import (
    PendingVerdictRegistry,
    PendingVerdicts,
)
from fraudwatch.application.ports import (
    StoreUnavailable,
    VerdictListener,
    VerdictLookup,
    VerdictsUnavailable,
)
from fraudwatch.domain.messages.purchase import Purchase, transaction_id_of
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.observability.metrics import counter
from streaming.ingest.channel import IngestChannel
from streaming.ingest.submissions import Submissions

log = logging.getLogger("ingest")

_timed_out = counter("fraudwatch_ingest_waits_timed_out")
_lookups = counter("fraudwatch_ingest_verdict_lookups")
# A verdict may be published before the caller listens and stored after it has asked.
_ASK_AGAIN_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class VerdictWaiter:
    """The pending verdicts, the listener that resolves them, and the verdicts of before.

    Verdicts of sandbox purchases are stored nowhere, and no matter of monitoring.
    """

    pending: PendingVerdictRegistry
    listener: VerdictListener
    stored: VerdictLookup | None


@dataclass(frozen=True, slots=True)
class VerdictResponse:
    """The part of a verdict that a synchronous caller receives."""

    transaction_id: str
    outcome: Outcome
    risk: Risk
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class ScoringResponse:
    """Counts of a submission, the verdicts that arrived in time, and the purchases without one."""

    accepted: int
    repeated: int
    verdicts: list[VerdictResponse]
    pending: list[str]
    deadline_ms: int | None = None


async def submit_and_wait(
    purchases: Sequence[Purchase],
    channel: IngestChannel[Purchase],
    waiter: VerdictWaiter,
    submissions: Submissions,
    *,
    wait_seconds: float,
) -> ScoringResponse:
    """Submit purchases, then await their verdicts without blocking a thread.

    They are registered as pending before they are published, so that no verdict arrives too early.
    The store is asked before that, so that a repeat is recognised however long ago the first was.

    Raises:
        RefusedBatch, OtherContent, NotDelivered: as in submission without waiting.
    """
    transaction_ids = list(
        dict.fromkeys(transaction_id_of(one.source, one.id) for one in purchases)
    )
    with waiter.pending.waiting_for(transaction_ids) as expected:
        is_listening = await run_in_threadpool(_listen, waiter.listener)
        verdicts = await run_in_threadpool(_look_up, waiter.stored, transaction_ids)
        hashes = {name: verdict.content_hash for name, verdict in verdicts.items()}
        result = await submissions.run(partial(channel.submit, purchases, hashes))
        verdicts |= await _await_missing(
            expected,
            waiter.stored,
            [name for name in transaction_ids if name not in verdicts],
            result.accepted_names,
            within_seconds=wait_seconds if is_listening else 0,
        )
    if len(verdicts) < len(transaction_ids) and waiter.stored is not None:
        _timed_out.inc()
    return _response(transaction_ids, result, verdicts)


async def _await_missing(
    expected: PendingVerdicts,
    stored: VerdictLookup | None,
    missing: Sequence[str],
    fresh: Collection[str],
    *,
    within_seconds: float,
) -> dict[str, Verdict]:
    """Await verdicts from the log; the store is asked again for those of repeated purchases."""
    loop = asyncio.get_running_loop()
    deadline_seconds = loop.time() + within_seconds
    found: dict[str, Verdict] = {}
    while True:
        left_seconds = max(deadline_seconds - loop.time(), 0)
        repeated = [name for name in missing if name not in fresh and name not in found]
        patience_seconds = min(left_seconds, _ASK_AGAIN_SECONDS) if repeated else left_seconds
        found |= await expected.collect(missing, within_seconds=patience_seconds)
        repeated = [name for name in repeated if name not in found]
        if repeated:
            found |= await run_in_threadpool(_look_up, stored, repeated)
        if len(found) == len(missing) or left_seconds <= patience_seconds:
            return found


def _look_up(stored: VerdictLookup | None, transaction_ids: Collection[str]) -> dict[str, Verdict]:
    if stored is None:
        return {}
    try:
        found = stored.verdicts_of(transaction_ids)
    except StoreUnavailable as error:
        log.debug("%s", error)
        _lookups.labels(outcome="unavailable").inc(len(transaction_ids))
        return {}
    _lookups.labels(outcome="found").inc(len(found))
    _lookups.labels(outcome="missing").inc(len(transaction_ids) - len(found))
    return found


def _listen(listener: VerdictListener) -> bool:
    try:
        listener.listen()
    except VerdictsUnavailable as error:
        log.warning("%s", error)
        return False
    return True


def _response(
    transaction_ids: Sequence[str], result: IngestResult, verdicts: Mapping[str, Verdict]
) -> ScoringResponse:
    return ScoringResponse(
        result.accepted,
        result.repeated,
        [_verdict_response(verdicts[name]) for name in transaction_ids if name in verdicts],
        [name for name in transaction_ids if name not in verdicts],
    )


def _verdict_response(verdict: Verdict) -> VerdictResponse:
    return VerdictResponse(
        verdict.transaction_id, verdict.outcome, verdict.risk, verdict.score, verdict.reasons
    )
