"""Admit a reported label: validate it and convert it to an internal label."""

from __future__ import annotations

from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS
from fraudwatch.domain.messages.chargeback_reason import is_fraud_claim
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem, problems
from fraudwatch.domain.messages.label import (
    LABEL_SCHEMA,
    NEVER_FRAUD,
    Label,
    LabelValue,
    ReportedLabel,
)
from fraudwatch.domain.messages.purchase import transaction_id_of


def admit_label(reported: ReportedLabel, *, now_ms: int) -> Label:
    """Return the label of a report.

    The transaction is not looked up: labels and purchases arrive by different channels, so a label
    may come first.

    Raises:
        Refused: a field breaks its bounds, ``known_at_ms`` is in the future, or the label says
            fraud and its kind or reason code does not.
    """
    if broken := problems(reported) or _contradictions(reported):
        raise Refused(Code.OUT_OF_BOUNDS, broken)
    known_at_ms = now_ms if reported.known_at_ms is None else reported.known_at_ms
    if known_at_ms > now_ms + FUTURE_TOLERANCE_MS:
        raise Refused(Code.FUTURE_EVENT, [Problem("known_at_ms", "is in the future")])
    code = reported.reason_code
    return Label(
        schema=LABEL_SCHEMA,
        transaction_id=transaction_id_of(reported.source, reported.id),
        verdict=reported.verdict,
        source=reported.kind,
        by=reported.by,
        known_at_ms=known_at_ms,
        note=None if code is None else f"Reason code {code}",
        reason_code=code,
    )


def _contradictions(reported: ReportedLabel) -> list[Problem]:
    """Return what a label of fraud contradicts: a wrong label would be learned."""
    if reported.verdict is not LabelValue.FRAUD:
        return []
    if reported.kind in NEVER_FRAUD:
        return [Problem("verdict", f"must be {LabelValue.GENUINE} for a {reported.kind}")]
    if reported.reason_code is not None and is_fraud_claim(reported.reason_code) is False:
        return [Problem("reason_code", f"is no claim of fraud; report it as {LabelValue.GENUINE}")]
    return []
