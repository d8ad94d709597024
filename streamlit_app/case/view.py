"""Texts of a case: head, score, models, explanation, labels; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fraudwatch.application.scoring.reasons import MODEL, probability_sentence
from fraudwatch.domain.messages.label import Label, Source
from fraudwatch.domain.messages.verdict import Mode, Risk, Verdict
from fraudwatch.domain.policy.combination import FULL_SCORE_POINTS, cut
from streamlit_app.case.feature_words import feature_meaning, feature_name, feature_value
from streamlit_app.view_models import LABEL_WORDS, clock_time

MODE_WORDS: Final = {
    Mode.RULES_ONLY: "Scored by rules only",
    Mode.WITH_ANOMALY: "Scored by rules and the anomaly model",
    Mode.WITH_MODEL: "Scored by the fraud model",
    Mode.WITH_ANOMALY_AND_MODEL: "Scored by rules and both models",
}
_SOURCE_WORDS = {
    Source.ANALYST: "analyst",
    Source.CHARGEBACK: "chargeback",
    Source.WON_DISPUTE: "won dispute",
    Source.FRIENDLY_FRAUD: "friendly fraud",
}
_EXPLAINED = (Risk.HIGH, Risk.CRITICAL)
_FRAUD_MODEL = "fraud"


@dataclass(frozen=True, slots=True)
class ExplainedFeature:
    """Contribution of one feature to a model's output."""

    feature: str
    value: str
    normal: str
    contribution: float
    direction: str
    meaning: str


def head_line(verdict: Verdict, now_ms: int) -> str:
    """Time of the purchase, mode of scoring, and route."""
    when = clock_time(verdict.event_at_ms, now_ms)
    route = f"queue {verdict.route}" if verdict.route else "no queue"
    return f"Bought {when} · {MODE_WORDS[verdict.mode]} · {route}"


def is_probability(verdict: Verdict) -> bool:
    """Whether the score is a model's calibrated probability of fraud."""
    return bool(verdict.calibration)


def score_text(verdict: Verdict) -> str:
    """Score with two decimals, cut off: 0.9996 is not shown as 1.00."""
    return f"{cut(verdict.score, 2):.2f}"


def marks(verdict: Verdict) -> list[str]:
    """Words for what overruled the score: control group, novelty."""
    found = {"Control group": verdict.is_control, "Novelty": verdict.is_novel}
    return [word for word, is_marked in found.items() if is_marked]


def reason_lines(verdict: Verdict) -> list[tuple[str, str]]:
    """Reasons with the rule's name; points only where they make the score."""
    if is_probability(verdict):
        return [(reason.text, reason.rule) for reason in verdict.reasons]
    return [(f"{one.points} points · {one.text}", one.rule) for one in verdict.reasons]


def score_lines(verdict: Verdict) -> list[str]:
    """Explain the score: as purchases, with the bounds of its day; or by points of rules."""
    if not is_probability(verdict):
        return [_points_line(verdict)]
    is_a_reason = any(reason.rule == MODEL for reason in verdict.reasons)
    sentence = [] if is_a_reason else [probability_sentence(verdict.score)]
    return [*sentence, _bounds_line(verdict.review_from_score, verdict.decline_from_score)]


def _points_line(verdict: Verdict) -> str:
    points = sum(reason.points for reason in verdict.reasons)
    rules = f"Rules: {points} of {FULL_SCORE_POINTS} points"
    if verdict.mode is Mode.RULES_ONLY:
        return f"{rules}; scored by rules only. Score {score_text(verdict)}."
    return (
        f"{rules}; a suspicious model output raises the score further, up to 1. "
        f"Score {score_text(verdict)}."
    )


def _bounds_line(review_from: float | None, decline_from: float | None) -> str:
    """Bounds of the score that held for this purchase."""
    if review_from is None:
        return "No score was reviewed: the rules with a floor use up the budget of alerts."
    declined = (
        "no score was declined" if decline_from is None else f"declined from {decline_from:.4g}"
    )
    return f"Reviewed from {review_from:.4g}, {declined}."


def model_lines(verdict: Verdict) -> list[str]:
    """Describe each model's output, whether or not the policy uses it."""
    return [_model_line(score.model, score.score, score.version) for score in verdict.model_scores]


def _model_line(model: str, score: float, version: str) -> str:
    meaning = "probability before calibration" if model == _FRAUD_MODEL else "anomaly score"
    # Truncated, not rounded: only 1 is shown as 1.
    return f"Model {model}: {int(score * 1_000) / 1_000:.3f} of 1, {meaning} (version {version})"


def is_explained(verdict: Verdict) -> bool:
    """Whether verdicts of this risk level have an explanation."""
    return verdict.risk in _EXPLAINED


def is_from_classifier(verdict: Verdict) -> bool:
    """Whether the contributions are the classifier's; else they are distances from normal."""
    return any(score.model == _FRAUD_MODEL for score in verdict.model_scores)


def contribution_title(verdict: Verdict) -> str:
    """Axis title: the unit of a contribution."""
    if is_from_classifier(verdict):
        return "Push towards fraud (log-odds)"
    return "Distance from normal (in typical spreads)"


def explained_features(verdict: Verdict) -> list[ExplainedFeature]:
    """List the features of the frozen explanation, largest contribution first."""
    up, down = ("towards fraud", "away from fraud")
    if not is_from_classifier(verdict):
        up, down = ("above normal", "below normal")
    return [
        ExplainedFeature(
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
    """Describe a label: ``Fraud, by ann (analyst), 14:03:27``."""
    source = _SOURCE_WORDS[label.source]
    when = clock_time(label.known_at_ms, now_ms)
    return f"{LABEL_WORDS[label.verdict]}, by {label.by} ({source}), {when}"
