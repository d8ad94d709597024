"""Remarks on accepted messages: fields that were unusable or are not known here.

They are counted for every channel; a caller gets them with the answer, which then has ``warnings``
or ``ignored``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from fraudwatch.domain.messages.purchase_cleaning import FieldWarning
from fraudwatch.observability.metrics import counter

_warnings = counter("fraudwatch_ingest_field_warnings")
_ignored = counter("fraudwatch_ingest_ignored_fields")
_NAMED_FIELDS: Final = 50


class Remarked(Protocol):
    """One message as it was read."""

    @property
    def warnings(self) -> tuple[FieldWarning, ...]:
        """Return the warnings about its optional fields."""

    @property
    def ignored(self) -> tuple[str, ...]:
        """Return the names of its fields that are not known here."""


def count_remarks(messages: Iterable[Remarked]) -> None:
    """Count the unusable fields by name and outcome, and the ignored fields."""
    for message in messages:
        for warning in message.warnings:
            _warnings.labels(field=warning.field, outcome=warning.outcome).inc()
        _ignored.inc(len(message.ignored))


def listed_remarks(messages: Sequence[Remarked]) -> dict[str, Any]:
    """List warnings by the index of their message, and the names of ignored fields once each.

    Without any the answer has neither member.
    """
    warnings = [
        {
            "index": index,
            "field": warning.field,
            "outcome": warning.outcome,
            "reason": warning.reason,
        }
        for index, message in enumerate(messages)
        for warning in message.warnings
    ]
    ignored = sorted({name for message in messages for name in message.ignored})
    return ({"warnings": warnings} if warnings else {}) | (
        {"ignored": ignored[:_NAMED_FIELDS]} if ignored else {}
    )
