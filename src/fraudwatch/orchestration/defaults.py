"""What every DAG and every task has unless its file says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import Param

from fraudwatch.orchestration.failure_mail import leave_reason

OWNER: Final = "fraudwatch"

# Nothing before it is caught up with or filled back.
START_DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)

# What gives the same answer to the same data gives it to a retry too.
NO_RETRY: Final = 0

# Airflow copies it for each DAG.
TASK_DEFAULTS: Final[dict[str, Any]] = {
    "owner": OWNER,
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": leave_reason,
}

_DAY_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
_HOUR_PATTERN = _DAY_PATTERN.removesuffix("$") + r"T([01]\d|2[0-3])$"


def _optional(title: str, description: str, pattern: str) -> Param:
    return Param(
        None, type=["null", "string"], pattern=pattern, title=title, description=description
    )


def a_day(title: str, description: str) -> Param:
    """A field of the form that may stay empty or takes a UTC day."""
    return _optional(title, description, _DAY_PATTERN)


def an_hour(title: str, description: str) -> Param:
    """A field of the form that may stay empty or takes a full UTC hour."""
    return _optional(title, description, _HOUR_PATTERN)


def day_or_range() -> dict[str, Any]:
    """The form of a DAG that works by days; all empty means what the clock or the event says."""
    return {
        "day": a_day("Day", "One closed UTC day, as in 2026-11-20."),
        "from": a_day("From", "First of several days; needs Until, and Day empty."),
        "until": a_day("Until", "Last of several days, inclusive; at most 31 days at once."),
    }
