"""Access log of this process, and the thread that publishes it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import streamlit as st

from fraudwatch.application.console.access import Person
from fraudwatch.application.console.access_log import AccessLog
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.console.audit_outbox import AuditOutbox
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.time_units import HOUR_MS

PUBLISH_SECONDS = 1.0
# A case that stays open or is opened again within this time is one view.
ONE_VIEW_MS = HOUR_MS
NOT_RECORDED = (
    "Nothing is shown: the access cannot be recorded, because the console's disk takes no more. "
    "Ask the operator to look at `./fraudwatch logs console`."
)
_LOG, _VIEWED = "access_log", "cases_viewed_at_ms"

logger = logging.getLogger(__name__)


def declare(log: AccessLog | None) -> None:
    """Set the log of this browser session; a page in a test has none."""
    st.session_state[_LOG] = log


def log_of_session() -> AccessLog | None:
    """Return the log, if there is one."""
    log: AccessLog | None = st.session_state.get(_LOG)
    return log


def record_view(person: Person, verdict: Verdict) -> None:
    """Record that the person sees this case, before it is drawn."""
    log = log_of_session()
    if log is None:
        return
    viewed: dict[str, int] = st.session_state.setdefault(_VIEWED, {})
    now_ms = log.now_ms()
    if now_ms - viewed.get(verdict.transaction_id, -ONE_VIEW_MS) < ONE_VIEW_MS:
        return
    try:
        log.case_viewed(person, verdict)
    except OSError:
        logger.exception("the access log cannot be written")
        st.error(NOT_RECORDED)
        st.stop()
    viewed[verdict.transaction_id] = now_ms


def publish_in_background(outbox: AuditOutbox, open_log: Callable[[], AuditLog]) -> None:
    """Publish kept records every second; while the broker is down they wait on disk.

    Started with the console, not with its first page: the command line leaves records as well.
    """

    def publish() -> None:
        is_delivered = True
        while True:
            try:
                if not outbox.is_empty:
                    outbox.deliver(open_log())
            except NotDelivered as error:
                if is_delivered:
                    logger.warning("audit records wait on disk: %s", error)
                is_delivered = False
            else:
                is_delivered = True
            time.sleep(PUBLISH_SECONDS)

    threading.Thread(target=publish, name="audit outbox", daemon=True).start()
