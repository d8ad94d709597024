"""Time within which a case should be decided, by risk level, and which cases are overdue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fraudwatch.application.console.alerts import Alert
from fraudwatch.domain.messages.verdict import Risk
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS

TARGET_MS: Final[Mapping[Risk, int]] = {
    Risk.CRITICAL: HOUR_MS,
    Risk.HIGH: 4 * HOUR_MS,
    Risk.MEDIUM: DAY_MS,
}
# The law gives a month to answer (GDPR Art. 12(3)); a declined customer waits less patiently.
REVIEW_TARGET_MS: Final = 3 * DAY_MS


def due_at_ms(alert: Alert) -> int:
    """Return when the alert should be decided."""
    return alert.decided_at_ms + TARGET_MS.get(alert.risk, DAY_MS)


def is_overdue(alert: Alert, now_ms: int) -> bool:
    """Return whether the alert should be decided already."""
    return due_at_ms(alert) <= now_ms
