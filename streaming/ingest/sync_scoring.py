"""Synchronous scoring: submit purchases and wait for their verdicts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from fraudwatch.application.intake.intake import IngestResult
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.application.ports import VerdictListener, VerdictsUnavailable
from fraudwatch.domain.messages.purchase import Purchase, transaction_id_of
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.observability.metrics import counter
from streaming.ingest.channel import IngestChannel

log = logging.getLogger("ingest")

_timed_out = counter("fraudwatch_ingest_waits_timed_out")


@dataclass(frozen=True, slots=True)
class VerdictWaiter:
    """The pending verdicts, and the listener that resolves them."""

    pending: PendingVerdictRegistry
    listener: VerdictListener


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


async def submit_and_wait(
    purchases: Sequence[Purchase],
    channel: IngestChannel[Purchase],
    waiter: VerdictWaiter,
    *,
    wait_seconds: float,
) -> ScoringResponse:
    """Submit purchases, then await their verdicts without blocking a thread.

    They are registered as pending before they are published, so that no verdict arrives too early.

    Raises:
        RefusedBatch, NotDelivered: as in submission without waiting.
    """
    transaction_ids = list(
        dict.fromkeys(transaction_id_of(one.source, one.id) for one in purchases)
    )
    with waiter.pending.waiting_for(transaction_ids) as expected:
        is_listening = await run_in_threadpool(_listen, waiter.listener)
        result = await run_in_threadpool(channel.submit, purchases)
        verdicts = await expected.collect(
            result.accepted_names, within_seconds=wait_seconds if is_listening else 0
        )
    if verdicts.keys() != result.accepted_names:
        _timed_out.inc()
    return _response(transaction_ids, result, verdicts)


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
