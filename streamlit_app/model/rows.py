"""Texts and table rows of the Model page; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from fraudwatch.application.operations.model_health import ModelHealth
from fraudwatch.application.promotion.model_changes import ModelChangeRun
from fraudwatch.application.promotion.registry_summary import FoldSummary, VersionSummary
from fraudwatch.application.promotion.version_difference import (
    changed_inputs,
    importance_changes,
)
from fraudwatch.domain.evaluation.drift import PSI_BOUND
from fraudwatch.domain.policy.list_document import instant_text
from streamlit_app.view_models import UNKNOWN

# Metrics of the folds and of the gate, in the words of the trade.
METRIC_WORDS: Final = {
    "average_precision": "Average precision",
    "recall_at_fpr_0_01": "Recall at 1 % false positives",
    "recall_at_fpr_0_001": "Recall at 0.1 % false positives",
    "card_precision": "Card precision within the capacity",
    "value_in_budget": "Fraud amount within the capacity",
    "auc": "AUC",
}
_GATE_WORDS: Final = METRIC_WORDS | {
    "brier": "Brier score, lower is better",
    "brier_of_base_rate": "Brier score of the base rate",
    "calibration_slope": "Slope of labels on scores",
    "alerts_a_day": "Alerts a day",
}
_SUBJECT_WORDS: Final = {"score": "Score", "alerts": "Alert rate", "features": "Features, largest"}
_RUN_WORDS: Final = {"approve": "Approve", "rollback": "Roll back to"}


def title_of(one: VersionSummary) -> str:
    """Name a version with its state."""
    return f"Version {one.version} ({state_of(one)})"


def state_of(one: VersionSummary) -> str:
    """Describe the state of a version."""
    if one.is_active:
        return "champion"
    if one.is_waiting:
        return "waits for approval"
    return "former champion" if one.was_promoted else "not promoted"


def version_rows(versions: Sequence[VersionSummary]) -> pd.DataFrame:
    """Build the table of versions, newest first."""
    return pd.DataFrame(
        [
            {
                "version": one.version,
                "state": state_of(one),
                "trained": instant_text(one.created_at_ms),
                "promoted": UNKNOWN
                if one.promoted_at_ms is None
                else instant_text(one.promoted_at_ms),
                "precision": mean_text(one, "average_precision"),
                "gate": one.tags.get("gate", UNKNOWN).replace("_", " "),
                "because": one.tags.get("because", UNKNOWN),
            }
            for one in versions
        ]
    )


def mean_text(one: VersionSummary, metric: str) -> str:
    """Format mean and standard deviation of a metric over the folds."""
    mean = one.metrics.get(f"xgboost.{metric}.mean")
    spread = one.metrics.get(f"xgboost.{metric}.std")
    if mean is None:
        return UNKNOWN
    return f"{mean:.3f}" + (f" ± {spread:.3f}" if spread is not None else "")


def fold_rows(versions: Sequence[VersionSummary]) -> pd.DataFrame:
    """Build the table of folds of one or two versions."""
    return pd.DataFrame([_fold_row(one, fold) for one in versions for fold in one.folds])


def _fold_row(one: VersionSummary, fold: FoldSummary) -> dict[str, object]:
    return {
        "Version": one.version,
        "Trained on": f"{fold.train_from} to {fold.train_until}",
        "Tested on": f"{fold.test_from} to {fold.test_until}",
        **{
            words: UNKNOWN if name not in fold.metrics else f"{fold.metrics[name]:.3f}"
            for name, words in METRIC_WORDS.items()
        },
    }


def delay_sentence(one: VersionSummary) -> str:
    """Describe how the folds keep the label delay."""
    days = one.tags.get("label_delay_days", UNKNOWN)
    if one.folds and not one.folds[-1].is_prequential:
        return (
            f"Label delay: {days} days. The lake was too young for prequential folds: it was split "
            "once, by the labels of the day of training."
        )
    return (
        f"Prequential folds: each is tested on days after its training and after the label delay "
        f"of {days} days, so that no label is used before it was known."
    )


def gate_rows(one: VersionSummary) -> pd.DataFrame:
    """Build the table of the promotion gate: both sides on the same purchases."""
    rows = []
    for name, words in _GATE_WORDS.items():
        ours = one.metrics.get(f"gate.challenger.{name}")
        theirs = one.metrics.get(f"gate.reference.{name}")
        if ours is not None or theirs is not None:
            rows.append({"": words, "This version": _number(ours), "Served then": _number(theirs)})
    return pd.DataFrame(rows)


def reliability_frame(versions: Sequence[VersionSummary]) -> pd.DataFrame:
    """Build the points of the reliability chart."""
    return pd.DataFrame(
        [
            {
                "version": title_of(one),
                "predicted": point.predicted,
                "observed": point.observed,
                "low": point.low,
                "high": point.high,
                "purchases": point.purchases,
            }
            for one in versions
            for point in one.reliability
        ]
    )


def importance_frame(before: VersionSummary, after: VersionSummary, top: int) -> pd.DataFrame:
    """Build the bars of the most important features of one version or two."""
    sides = [(before, "before")] + ([(after, "after")] if after is not before else [])
    return pd.DataFrame(
        [
            {"feature": one.feature, "version": title_of(version), "share": share}
            for one in importance_changes(before, after)[:top]
            for version, side in sides
            if (share := getattr(one, side)) is not None
        ]
    )


def change_rows(before: VersionSummary, after: VersionSummary) -> pd.DataFrame:
    """Build the table of inputs and metrics that differ."""
    inputs = [
        {
            "": one.name,
            title_of(before): one.before or UNKNOWN,
            title_of(after): one.after or UNKNOWN,
        }
        for one in changed_inputs(before, after)
    ]
    metrics = [
        {
            "": f"{words}, mean of the folds",
            title_of(before): mean_text(before, name),
            title_of(after): mean_text(after, name),
        }
        for name, words in METRIC_WORDS.items()
    ]
    return pd.DataFrame(metrics + inputs)


def drift_rows(health: ModelHealth) -> pd.DataFrame:
    """Build the table of drift."""
    return pd.DataFrame(
        [
            {
                "Drift of": _SUBJECT_WORDS.get(subject, subject),
                "PSI": f"{psi:.3f}",
                "": "▲ above the bound" if psi > PSI_BOUND else "● within the bound",
            }
            for subject, psi in sorted(health.psi.items())
        ]
    )


def quality_rows(health: ModelHealth) -> pd.DataFrame:
    """Build the table of served quality by the age of labels."""
    return pd.DataFrame(
        [
            {
                "Labels are at least": one.label_age.replace("d", " days old"),
                "Precision": _percent(one.precision_ratio),
                "Recall": _percent(one.recall_ratio),
                "False positives": _percent(one.false_positive_ratio),
            }
            for one in health.quality
        ]
    )


def run_rows(runs: Sequence[ModelChangeRun]) -> pd.DataFrame:
    """Build the table of changes."""
    return pd.DataFrame(
        [
            {
                "Started": (one.started_at or UNKNOWN)[:19].replace("T", " "),
                "Change": f"{_RUN_WORDS.get(one.action, one.action)} {one.version}",
                "State": one.state,
                "Why it failed": one.failure or "",
            }
            for one in runs
        ]
    )


def bounds_sentence(one: VersionSummary) -> str:
    """Describe the bounds that the version had under the policy of its gate."""
    words = (("review_from", "reviewed"), ("decline_from", "declined"))
    texts = [f"{word} from {one.bounds[name]:.2f}" for name, word in words if name in one.bounds]
    return f"Its bounds then: {', '.join(texts)}." if texts else ""


def number_text(value: float | None, digits: int = 3) -> str:
    """Format a number; unknown is a dash."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def _number(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.4f}"  # noqa: PLR2004  few digits


def _percent(ratio: float | None) -> str:
    return UNKNOWN if ratio is None else f"{ratio:.2%}"
