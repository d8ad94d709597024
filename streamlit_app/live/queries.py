"""Queries of the live list: one window of alerts and one status cache for all sessions.

A session that finds a fresh answer does not query again, so a hundred analysts load the store like
one. No page waits longer than the store's own timeout, and earlier answers stay available.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import streamlit as st

from fraudwatch.application.ports import StoreUnavailable
from streamlit_app.console_services import ServiceSource
from streamlit_app.live.single_flight import SingleFlight
from streamlit_app.live.status import Status, StatusCache
from streamlit_app.live.window import AlertWindow, WindowSnapshot
from streamlit_app.metrics import timed_query

# With a refresh each second, the oldest answer that keeps an alert within two seconds.
FRESH_FOR = timedelta(seconds=0.5)
READ_BACK_EVERY = timedelta(seconds=30)
CLAIMS_FRESH_FOR, DECISIONS_FRESH_FOR = timedelta(seconds=2), timedelta(seconds=5)
MAX_WAIT_SECONDS = 2.0
# Alerts are shown at once; their status may come a refresh later.
MAX_STATUS_WAIT_SECONDS = 0.3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveState:
    """Alerts and their status at one moment, and the error that kept them from being newer."""

    snapshot: WindowSnapshot | None
    status: Status = field(default_factory=Status)
    error: StoreUnavailable | None = None
    is_status_old: bool = False


class LiveReader:
    """The window, the status cache, and the jobs that keep both up to date."""

    def __init__(self, source: ServiceSource) -> None:
        services = source.services()
        self._window = AlertWindow(services.alerts)
        self._status_cache = StatusCache(services.claims, services.cases, services.handling.store)
        self._newest = SingleFlight(_timed("newest", self._window.read_newest), FRESH_FOR)
        self._back = SingleFlight(_timed("read_back", self._window.read_back), READ_BACK_EVERY)
        self._status = (
            SingleFlight(_timed("claims", self._status_cache.read_claims), CLAIMS_FRESH_FOR),
            SingleFlight(
                _timed("decisions", self._status_cache.read_decisions), DECISIONS_FRESH_FOR
            ),
        )

    def look(self, now: datetime) -> LiveState:
        """Return the newest state that is available within the maximum wait."""
        error = _run(self._newest, now, MAX_WAIT_SECONDS)
        if error is not None:
            return LiveState(
                self._window.snapshot(), self._status_cache.status(), error, is_status_old=True
            )
        _run(self._back, now, 0.0)
        errors = [_run(job, now, MAX_STATUS_WAIT_SECONDS) for job in self._status]
        return LiveState(self._window.snapshot(), self._status_cache.status(), None, any(errors))


def look(source: ServiceSource) -> LiveState:
    """Return the current state for the live list."""
    try:
        return _shared(source).look(source.clock())
    except StoreUnavailable as error:
        return LiveState(None, error=error)


@st.cache_resource(show_spinner=False)
def _shared(_source: ServiceSource) -> LiveReader:
    return LiveReader(_source)


def _timed(kind: str, job: Callable[[datetime], None]) -> Callable[[datetime], None]:
    def run(now: datetime) -> None:
        with timed_query(kind):
            job(now)

    return run


def _run(job: SingleFlight, now: datetime, max_wait_seconds: float) -> StoreUnavailable | None:
    try:
        job.run(now, max_wait_seconds=max_wait_seconds)
    except StoreUnavailable as error:
        return error
    return None
