"""One case as an analyst reads it: head, reasons, explanation, what is known; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.combination import FULL_SCORE_POINTS
from fraudwatch.domain.label import Label, Source, Truth
from fraudwatch.domain.verdict import Mode, Risk, Verdict
from streamlit_app.case.feature_words import feature_meaning, feature_name, feature_value
from streamlit_app.view_models import clock_time

TRUTH_WORDS: Final = {Truth.FRAUD: "Fraud", Truth.GENUINE: "Genuine", Truth.UNSURE: "Unsure"}
MODE_WORDS: Final = {
    Mode.RULES_ONLY: "Rules only: no model spoke",
    Mode.WITH_ANOMALY: "Rules and the model of what is unusual",
    Mode.WITH_MODEL: "Rules and the model of fraud",
    Mode.WITH_ANOMALY_AND_MODEL: "Rules and both models",
}
_SOURCE_WORDS = {Source.ANALYST: "an analyst", Source.CHARGEBACK: "the payment system"}
_EXPLAINED = (Risk.HIGH, Risk.CRITICAL)
_FRAUD_MODEL = "fraud"


@dataclass(frozen=True, slots=True)
class Explained:
    """One feature's part in what the model said."""

    feature: str
    value: str
    normal: str
    contribution: float
    direction: str
    meaning: str


def head_line(verdict: Verdict, now_ms: int) -> str:
    """When it was bought, by which parts it was judged, and whose queue it is in."""
    when = clock_time(verdict.event_at_ms, now_ms)
    route = f"queue {verdict.route}" if verdict.route else "no queue named"
    return f"Bought {when} · {MODE_WORDS[verdict.mode]} · {route}"


def score_line(verdict: Verdict) -> str:
    """How the score came about."""
    points = sum(reason.points for reason in verdict.reasons)
    rules = f"Rules gave {points} of {FULL_SCORE_POINTS} points"
    if verdict.mode is Mode.RULES_ONLY:
        return f"{rules}; rules only, no model spoke. Score {verdict.score:.2f}."
    return (
        f"{rules}; each part that objects raises the score further, up to 1. "
        f"Score {verdict.score:.2f}."
    )


def model_lines(verdict: Verdict) -> list[str]:
    """What each model said, whether or not the policy counted it."""
    return [_model_line(score.model, score.score, score.version) for score in verdict.model_scores]


def _model_line(model: str, score: float, version: str) -> str:
    said = "probability of fraud" if model == _FRAUD_MODEL else "how unusual"
    # Cut, not rounded: nothing short of 1 is called 1.
    return f"Model {model}: {int(score * 1_000) / 1_000:.3f} of 1, {said} (version {version})"


def is_explained(verdict: Verdict) -> bool:
    """Whether this risk gets an explanation at all."""
    return verdict.risk in _EXPLAINED


def by_model_of_fraud(verdict: Verdict) -> bool:
    """Whether the contributions are that model's; else they are distances from the normal."""
    return any(score.model == _FRAUD_MODEL for score in verdict.model_scores)


def contribution_title(verdict: Verdict) -> str:
    """What a contribution's number is."""
    if by_model_of_fraud(verdict):
        return "Push towards fraud (log-odds)"
    return "Distance from normal (in usual spreads)"


def explained(verdict: Verdict) -> list[Explained]:
    """The frozen explanation, loudest first."""
    up, down = ("towards fraud", "away from fraud")
    if not by_model_of_fraud(verdict):
        up, down = ("above normal", "below normal")
    return [
        Explained(
            feature=feature_name(part.feature),
            value=feature_value(part.feature, part.value),
            normal=feature_value(part.feature, part.normal),
            contribution=part.contribution,
            direction=up if part.contribution > 0 else down,
            meaning=feature_meaning(part.feature),
        )
        for part in verdict.explanation
    ]


def label_line(label: Label, now_ms: int) -> str:
    """``Fraud, by ann (an analyst), 14:03:27``."""
    source = _SOURCE_WORDS[label.source]
    when = clock_time(label.known_at_ms, now_ms)
    return f"{TRUTH_WORDS[label.verdict]}, by {label.by} ({source}), {when}"


def standing_truth(labels: Sequence[Label]) -> Truth | None:
    """What was said last of a purchase; ``labels`` come latest first."""
    return labels[0].verdict if labels else None
