"""Services of the console, each behind a port, opened once for all sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from fraudwatch.application.console.casework import (
    AuditReader,
    CaseReader,
    Claims,
    OpenAlertReader,
    Revealer,
    TallyReader,
)
from fraudwatch.application.console.decide import Decisions
from fraudwatch.application.console.group_decision import GroupDecisions
from fraudwatch.application.console.handling import CaseHandling
from fraudwatch.application.console.reviews import Reviews
from fraudwatch.application.ports import AlertReader
from fraudwatch.application.shadow.comparing import ShadowReader
from fraudwatch.domain.instants import epoch_ms_of


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """The ports that the pages use."""

    alerts: AlertReader
    open_alerts: OpenAlertReader
    cases: CaseReader
    claims: Claims
    decisions: Decisions
    group_decisions: GroupDecisions
    handling: CaseHandling
    reviews: Reviews
    tallies: TallyReader
    audit: AuditReader
    revealer: Revealer
    shadow: ShadowReader


@dataclass(frozen=True, slots=True)
class ServiceSource:
    """Factory of the services, and the clock; set once, in ``app.main``."""

    open_services: Callable[[], ConsoleServices]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now_ms(self) -> int:
        """Current time as epoch ms UTC."""
        return epoch_ms_of(self.clock())

    def services(self) -> ConsoleServices:
        """Return the services; the first call opens them.

        Raises:
            StoreUnavailable: they cannot be opened now; the next call tries again.
        """
        return _opened(self)


@st.cache_resource(show_spinner=False)
def _opened(_source: ServiceSource) -> ConsoleServices:
    return _source.open_services()
