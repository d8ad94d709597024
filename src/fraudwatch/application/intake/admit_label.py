"""Admit a reported label: check it and make of it what labels look like inside."""

from __future__ import annotations

from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem, problems
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, ReportedLabel
from fraudwatch.domain.messages.purchase import transaction_id_of


def admit_label(reported: ReportedLabel, *, now_ms: int) -> Label:
    """The label of a report.

    Whether its transaction is known is not asked: a label may come before the purchase that it is
    about, as both have ways of their own.

    Raises:
        Refused: when a field breaks its bounds, or it would be known in the future only.
    """
    if broken := problems(reported):
        raise Refused(Code.OUT_OF_BOUNDS, broken)
    known_at_ms = now_ms if reported.known_at_ms is None else reported.known_at_ms
    if known_at_ms > now_ms + FUTURE_TOLERANCE_MS:
        raise Refused(Code.FUTURE_EVENT, [Problem("known_at_ms", "lies in the future")])
    return Label(
        schema=LABEL_SCHEMA,
        transaction_id=transaction_id_of(reported.source, reported.id),
        verdict=reported.verdict,
        source=reported.kind,
        by=reported.by,
        known_at_ms=known_at_ms,
    )
