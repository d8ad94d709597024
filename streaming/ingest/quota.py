"""Apply the dead-letter quota to the feeds and to the API keys of ingest."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import Depends, FastAPI, Request

from fraudwatch.adapters.http.key_check import require
from fraudwatch.adapters.http.problem_json import ProblemResponse
from fraudwatch.adapters.quota_folder import FOLDER, QuotaFolder
from fraudwatch.application.dead_letters.quota import (
    KEY_PREFIX,
    DeadLetterQuota,
    QuotaState,
    QuotaStates,
    SourcePaused,
    paused_of,
)
from fraudwatch.application.intake.intake import (
    CHARGEBACK_FEED,
    MAPPED_FEED_PREFIX,
    PURCHASE_FEED,
    OtherContent,
    RefusedBatch,
)
from fraudwatch.domain.api_keys import ApiKey, Scope
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.observability.metrics import gauge
from fraudwatch.quota_settings import QuotaSettings

log = logging.getLogger("ingest")

_API: Final = "api"
_MAPPED_FEED: Final = "mapped_feed"
_RETRY_AFTER_SECONDS: Final = 60
_paused = gauge("fraudwatch_ingest_paused_sources")


def ingest_quota(state_folder: Path, now_ms: Callable[[], int]) -> DeadLetterQuota:
    """Build the quota of this home, and export its paused sources as they are at each scrape."""
    states = QuotaFolder(state_folder / FOLDER)
    for reader in (PURCHASE_FEED, CHARGEBACK_FEED, _MAPPED_FEED, _API):
        _paused.labels(reader=reader).set_function(partial(_count_paused, states, reader))
    for state in paused_of(states.listed()):
        log.error("%s", state.reason)
    return DeadLetterQuota(QuotaSettings().limits, states, now_ms)


def _count_paused(states: QuotaStates, reader: str) -> float:
    return float(sum(_reader_of(state) == reader for state in paused_of(states.listed())))


def _reader_of(state: QuotaState) -> str:
    if state.source.startswith(MAPPED_FEED_PREFIX):
        return _MAPPED_FEED
    return _API if state.source.startswith(KEY_PREFIX) else state.source


def within_quota(scope: Scope) -> Callable[..., AsyncIterator[ApiKey]]:
    """Return the dependency of an endpoint that counts what it refuses, by API key.

    Purchases of sandbox keys are for trying, mistakes included: they have no quota.
    """
    # No annotation: FastAPI could not resolve one that names a variable of a function.
    accepted: ApiKey = Depends(require(scope))

    async def counted(request: Request, key: ApiKey = accepted) -> AsyncIterator[ApiKey]:
        quota: DeadLetterQuota | None = request.app.state.quota
        if quota is None or key.is_sandbox:
            yield key
            return
        source = f"{KEY_PREFIX}{key.key_id}"
        quota.require_running(source)
        try:
            yield key
        except (Refused, RefusedBatch, OtherContent) as error:
            # An unreadable call is one message: nothing shows how many it should have been.
            refused = 1 if isinstance(error, Refused) else len(error.refused)
            _count(quota, source, _messages(request), refused)
            raise
        _count(quota, source, _messages(request), 0)

    return counted


def _messages(request: Request) -> int:
    return int(getattr(request.state, "messages", 1))


def _count(quota: DeadLetterQuota, source: str, messages: int, refused: int) -> None:
    if (state := quota.count(source, messages, refused)) is not None:
        log.error("%s", state.reason)


def _source_paused(request: Request, error: Exception) -> ProblemResponse:
    return ProblemResponse(
        request,
        429,
        f"{error}; nothing of this request was accepted",
        kind="source-paused",
        title="Source paused",
        headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
    )


def add_quota(app: FastAPI, quota: DeadLetterQuota | None) -> None:
    """Set the quota of an API; None: its keys have none."""
    app.state.quota = quota
    app.add_exception_handler(SourcePaused, _source_paused)
