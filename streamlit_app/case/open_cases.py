"""Open alerts for all sessions: read once in two seconds, however many analysts look."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import streamlit as st

from fraudwatch.application.console.alerts import Alert
from fraudwatch.application.console.casework import OpenAlertReader
from fraudwatch.application.console.next_case import MAX_OPEN
from fraudwatch.domain.messages.verdict import Verdict
from streamlit_app.console_services import ServiceSource
from streamlit_app.metrics import timed_query

FRESH_FOR: Final = timedelta(seconds=2)


class RecentOpenAlerts:
    """``OpenAlertReader`` whose list is up to two seconds old."""

    def __init__(self, source: ServiceSource) -> None:
        self._source = source

    def open_alerts(self, limit: int) -> list[Alert]:
        """See :class:`OpenAlertReader`; the whole list is shared, so ``limit`` cuts it."""
        alerts = _open_alerts(self._source)
        return alerts if len(alerts) <= limit else alerts[:limit]

    def open_verdict(self, transaction_id: str) -> Verdict | None:
        """See :class:`OpenAlertReader`."""
        with timed_query("open_verdict"):
            return self._source.services().open_alerts.open_verdict(transaction_id)


def reader(source: ServiceSource) -> OpenAlertReader:
    """Return the reader that all pages use."""
    return RecentOpenAlerts(source)


def forget() -> None:
    """Clear the list, so that the next one is read."""
    _open_alerts.clear()


# The list itself, not a copy for each session as ``cache_data`` makes it: no one changes it.
@st.cache_resource(ttl=FRESH_FOR, show_spinner=False)
def _open_alerts(_source: ServiceSource) -> list[Alert]:
    with timed_query("open_alerts"):
        return _source.services().open_alerts.open_alerts(MAX_OPEN)
