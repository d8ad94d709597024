"""Texts and table rows of the shadow page; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from fraudwatch.application.shadow.summary import LabelledSides, ShadowSummary
from fraudwatch.domain.evaluation.labelled_alerts import LabelledAlertCounts
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.shadow import Comparison, NotCompared, ShadowExample
from streamlit_app.view_models import OUTCOME_WORDS, RISK_WORDS, clock_time

UNKNOWN: Final = "—"
_REASONS: Final = {
    NotCompared.NO_TRANSACTION: "its transaction is gone",
    NotCompared.NO_VECTOR: "its feature vector is gone",
    NotCompared.OTHER_FEATURES: "scored by another version of the features",
    NotCompared.POLICY_UNKNOWN: "its live policy is gone",
    NotCompared.MODEL_UNKNOWN: "its live model is gone",
}


def title_of(comparison: Comparison, now_ms: int) -> str:
    """Name a comparison: the candidate, and when it was started."""
    named = [
        comparison.policy_version and f"policy {comparison.policy_version}",
        comparison.model_version and f"model {comparison.model_version}",
    ]
    what = " and ".join(one for one in named if one)
    return f"{what}, started {clock_time(comparison.started_at_ms, now_ms)}"


def caption_of(comparison: Comparison, summary: ShadowSummary, now_ms: int) -> str:
    """Describe what is compared with what, and since when."""
    since = clock_time(comparison.from_at_ms, now_ms)
    live = ", ".join(map(_versions, summary.live_versions)) or UNKNOWN
    candidate = ", ".join(map(_versions, summary.candidate_versions)) or UNKNOWN
    return (
        f"Live verdicts published since {since}, started by {comparison.started_by}. "
        f"Live: {live}. Candidate: {candidate}. The candidate has no effect on any purchase."
    )


def euros(eur_cents: int) -> str:
    """Format euro cents in whole euros."""
    return f"{eur_cents / 100:,.0f}"


def percent(ratio: float | None) -> str:
    """Format a share; unknown is a dash."""
    return UNKNOWN if ratio is None else f"{ratio:.2%}"


def side_rows(summary: ShadowSummary) -> pd.DataFrame:
    """Build the table of both sides."""
    live, candidate = summary.live, summary.candidate
    numbers = [
        ("Alerts", live.alerts, candidate.alerts),
        ("Declined", live.declined, candidate.declined),
        (
            "Amount of alerts, EUR",
            round(live.alerts_amount_eur_cents / 100),
            round(candidate.alerts_amount_eur_cents / 100),
        ),
        (
            "Amount declined, EUR",
            round(live.declined_amount_eur_cents / 100),
            round(candidate.declined_amount_eur_cents / 100),
        ),
    ]
    return pd.DataFrame(
        [
            {"": name, "Live": f"{a:,}", "Candidate": f"{b:,}", "Difference": f"{b - a:+,}"}
            for name, a, b in numbers
        ]
    )


def outcome_rows(summary: ShadowSummary) -> pd.DataFrame:
    """Build the matrix of outcomes: a row for each live one, a column for the candidate's."""
    found = summary.outcomes
    return pd.DataFrame(
        [
            {"Live": OUTCOME_WORDS[live]}
            | {
                OUTCOME_WORDS[candidate]: found[live, candidate].purchases
                if (live, candidate) in found
                else 0
                for candidate in Outcome
            }
            for live in Outcome
            if any(pair[0] is live for pair in found)
        ]
    )


def day_rows(summary: ShadowSummary) -> pd.DataFrame:
    """Build the table of alerts a day, newest first."""
    return pd.DataFrame(
        [
            {
                "Day": day,
                "Purchases": n.purchases,
                "Live alerts": n.live,
                "Candidate alerts": n.candidate,
            }
            for day, n in reversed(summary.days.items())
        ]
    )


def reason_rows(summary: ShadowSummary) -> pd.DataFrame:
    """Build the table of reasons that one side alone gives."""
    return pd.DataFrame(
        [
            {
                "Reason": one.rule,
                "Only live": one.live_only,
                "Only candidate": one.candidate_only,
            }
            for one in summary.reasons
        ]
    )


def example_rows(examples: Sequence[ShadowExample], now_ms: int) -> pd.DataFrame:
    """Build the table of purchases whose outcome differs."""
    return pd.DataFrame(
        [
            {
                "at": clock_time(one.event_at_ms, now_ms),
                "amount": f"{one.amount_eur_cents / 100:,.2f} EUR",
                "live": f"{OUTCOME_WORDS[one.pair.live_outcome]}, {one.live_score:.2f}",
                "candidate": (
                    f"{OUTCOME_WORDS[one.pair.candidate_outcome]}, {one.candidate_score:.2f}"
                ),
                "risk": RISK_WORDS[one.pair.candidate_risk],
                "live_reasons": ", ".join(one.live_reasons) or UNKNOWN,
                "candidate_reasons": ", ".join(one.candidate_reasons) or UNKNOWN,
                "transaction": one.transaction_id,
            }
            for one in examples
        ]
    )


def label_rows(sides: LabelledSides) -> pd.DataFrame:
    """Build the table of both sides on labelled purchases."""
    live, candidate = sides
    rows = [
        ("Precision", _precision(live), _precision(candidate)),
        ("Recall", _recall(live), _recall(candidate)),
        ("Frauds caught", f"{live.caught:,}", f"{candidate.caught:,}"),
        ("Frauds missed", f"{live.missed:,}", f"{candidate.missed:,}"),
        (
            "Alerts on genuine purchases",
            f"{live.false_positives:,}",
            f"{candidate.false_positives:,}",
        ),
        ("Fraud caught, EUR", euros(live.caught_eur_cents), euros(candidate.caught_eur_cents)),
        ("Fraud missed, EUR", euros(live.missed_eur_cents), euros(candidate.missed_eur_cents)),
    ]
    return pd.DataFrame([{"": name, "Live": a, "Candidate": b} for name, a, b in rows])


def labelled_purchases(sides: LabelledSides) -> int:
    """Count labelled purchases: frauds, and genuine purchases that one side alerts."""
    live, candidate = sides
    return live.caught + live.missed + max(live.false_positives, candidate.false_positives)


def not_compared_sentence(found: Mapping[str, int]) -> str:
    """Describe what could not be compared; empty if everything was."""
    if not found:
        return ""
    parts = [f"{n:,} because {_REASONS[NotCompared(reason)]}" for reason, n in found.items()]
    return f"Not compared: {'; '.join(parts)}."


def _precision(counts: LabelledAlertCounts) -> str:
    alerts = counts.caught + counts.false_positives
    return percent(counts.caught / alerts if alerts else None)


def _recall(counts: LabelledAlertCounts) -> str:
    frauds = counts.caught + counts.missed
    return percent(counts.caught / frauds if frauds else None)


def _versions(value: str) -> str:
    policy, model = value.rsplit(" ", 1)
    return f"policy {policy}, {'no model' if model == 'none' else f'model {model}'}"
