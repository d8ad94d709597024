"""Defaults of every DAG and task, and fields of their forms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import Param

from fraudwatch.orchestration.failure_mail import store_reason

OWNER: Final = "fraudwatch"

# The earliest day of a catch-up or backfill.
START_DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)

# For tasks that give the same result for the same data: a retry is pointless.
NO_RETRY: Final = 0

# Airflow copies it for each DAG.
TASK_DEFAULTS: Final[dict[str, Any]] = {
    "owner": OWNER,
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": store_reason,
}

_DAY_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
_HOUR_PATTERN = _DAY_PATTERN.removesuffix("$") + r"T([01]\d|2[0-3])$"

_NAME_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
# It is passed as one command argument, which Linux limits to 128 KiB.
_DOCUMENT_PATTERN = r"^[\s\S]{1,100000}$"  # Linux takes an argument of 128 KiB


def _optional(title: str, description: str, pattern: str) -> Param:
    return Param(
        None, type=["null", "string"], pattern=pattern, title=title, description=description
    )


def a_day(title: str, description: str) -> Param:
    """Create an optional form field for a UTC day."""
    return _optional(title, description, _DAY_PATTERN)


def an_hour(title: str, description: str) -> Param:
    """Create an optional form field for a full UTC hour."""
    return _optional(title, description, _HOUR_PATTERN)


def a_number_of_days(title: str, description: str) -> Param:
    """Create an optional form field for a number of days, at least 2."""
    return _optional(title, description, r"^([2-9]|[1-9][0-9]{1,3})$")


def a_version(title: str, description: str) -> Param:
    """Create an optional form field for the number of a version."""
    return _optional(title, description, r"^[1-9][0-9]{0,5}$")


def a_name(title: str, description: str) -> Param:
    """Create an optional form field for a file name without a path."""
    return _optional(title, description, _NAME_PATTERN)


def a_document(title: str, description: str) -> Param:
    """Create an optional form field for many lines of text."""
    return Param(
        None,
        type=["null", "string"],
        pattern=_DOCUMENT_PATTERN,
        format="multiline",
        title=title,
        description=description,
    )


# The day in the form's ``date``, else the day before the run: a run started by hand has no data
# interval.
DAY_BEFORE: Final = "{{ params.date or macros.ds_add(dag_run.run_after.strftime('%Y-%m-%d'), -1) }}"


def a_choice(title: str, description: str, choices: Sequence[str]) -> Param:
    """Create an optional form field for one of these choices."""
    return _optional(title, description, f"^({'|'.join(choices)})$")


def day_or_range() -> dict[str, Any]:
    """Create the form of a DAG that processes days; all empty: as the schedule or the event."""
    return {
        "day": a_day("Day", "One closed UTC day, as in 2026-11-20."),
        "from": a_day("From", "First of several days; needs Until, and Day empty."),
        "until": a_day("Until", "Last of several days, inclusive; at most 31 days at once."),
    }
