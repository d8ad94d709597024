"""What the live screen knows: one window of alerts and one book of their status for all sessions.

A session that finds a fresh answer does not ask again, so a hundred analysts load the store like
one. No page waits longer than the store's own time limit, whatever hangs, and what was known stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import streamlit as st

from fraudwatch.application.ports import StoreUnavailable
from streamlit_app.desk import Source
from streamlit_app.live.single_flight import SingleFlight
from streamlit_app.live.status import Status, StatusBook
from streamlit_app.live.window import AlertWindow, Seen
from streamlit_app.metrics import asked

# With a refresh each second an answer this old is the most that "within two seconds" can bear.
FRESH_FOR = timedelta(seconds=0.5)
READ_BACK_EVERY = timedelta(seconds=30)
CLAIMS_FRESH_FOR, DECISIONS_FRESH_FOR = timedelta(seconds=2), timedelta(seconds=5)
PATIENCE_SECONDS = 2.0
# The list is there when the alerts are; who works on them may come a refresh later.
STATUS_PATIENCE_SECONDS = 0.3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known at one moment, and what keeps it from being newer."""

    seen: Seen | None
    status: Status = field(default_factory=Status)
    trouble: StoreUnavailable | None = None
    is_status_old: bool = False


class LiveDesk:
    """The window, the book, and the jobs that keep both up to date."""

    def __init__(self, source: Source) -> None:
        desk = source.desk()
        self._window = AlertWindow(desk.alerts)
        self._book = StatusBook(desk.claims, desk.cases)
        self._newest = SingleFlight(_timed("newest", self._window.read_newest), FRESH_FOR)
        self._back = SingleFlight(_timed("read_back", self._window.read_back), READ_BACK_EVERY)
        self._status = (
            SingleFlight(_timed("claims", self._book.read_claims), CLAIMS_FRESH_FOR),
            SingleFlight(_timed("decisions", self._book.read_decisions), DECISIONS_FRESH_FOR),
        )

    def look(self, now: datetime) -> Answer:
        """The newest answer that can be had without waiting longer than anybody should."""
        trouble = _ran(self._newest, now, PATIENCE_SECONDS)
        if trouble is not None:
            return Answer(self._window.seen(), self._book.status(), trouble, is_status_old=True)
        _ran(self._back, now, 0.0)
        troubles = [_ran(job, now, STATUS_PATIENCE_SECONDS) for job in self._status]
        return Answer(self._window.seen(), self._book.status(), None, any(troubles))


def look(source: Source) -> Answer:
    """What the live screen shows now."""
    try:
        return _shared(source).look(source.clock())
    except StoreUnavailable as error:
        return Answer(None, trouble=error)


@st.cache_resource(show_spinner=False)
def _shared(_source: Source) -> LiveDesk:
    return LiveDesk(_source)


def _timed(kind: str, job: Callable[[datetime], None]) -> Callable[[datetime], None]:
    def run(now: datetime) -> None:
        with asked(kind):
            job(now)

    return run


def _ran(job: SingleFlight, now: datetime, patience_seconds: float) -> StoreUnavailable | None:
    try:
        job.run(now, patience_seconds=patience_seconds)
    except StoreUnavailable as error:
        return error
    return None
