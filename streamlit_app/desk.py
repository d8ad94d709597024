"""What the console works with: every engine behind a port, opened once for all sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from fraudwatch.application.casework import AuditReader, CaseReader, Claims, Revealer, TallyReader
from fraudwatch.application.decide import Decisions
from fraudwatch.application.ports import AlertReader


@dataclass(frozen=True, slots=True)
class Desk:
    """What is on an analyst's desk."""

    alerts: AlertReader
    cases: CaseReader
    claims: Claims
    decisions: Decisions
    tallies: TallyReader
    audit: AuditReader
    revealer: Revealer


@dataclass(frozen=True, slots=True)
class Source:
    """Where the desk comes from and what time it is: set once, in ``app.main``."""

    open_desk: Callable[[], Desk]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now_ms(self) -> int:
        """The clock as epoch ms UTC."""
        return int(self.clock().timestamp() * 1_000)

    def desk(self) -> Desk:
        """The desk; opened by whoever asks first.

        Raises:
            StoreUnavailable: it cannot be opened now; the next call tries again.
        """
        return _opened(self)


@st.cache_resource(show_spinner=False)
def _opened(_source: Source) -> Desk:
    return _source.open_desk()
