"""Model versions and what was measured of them, for tests of the Model page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fraudwatch.application.operations.exporters import Sample
from fraudwatch.application.promotion.canary_trial import CanaryTrial, TrialUnavailable
from fraudwatch.application.promotion.model_changes import (
    ModelAction,
    ModelChangeRefused,
    ModelChangeRun,
)
from fraudwatch.application.promotion.registry_summary import (
    FeatureImportance,
    FoldSummary,
    RegistrySummary,
    ReliabilityPoint,
    VersionSummary,
)

NOON_MS = 1_772_366_400_000


def a_fold(week: int, precision: float) -> FoldSummary:
    """Fold whose test week is this one of February."""
    return FoldSummary(
        train_from="2026-01-01",
        train_until=f"2026-02-{7 * week - 4:02}",
        test_from=f"2026-02-{7 * week:02}",
        test_until=f"2026-02-{7 * week + 6:02}",
        is_prequential=True,
        metrics={
            "average_precision": precision,
            "recall_at_fpr_0_01": precision + 0.1,
            "auc": 0.98,
        },
    )


def a_version(number: int, precision: float = 0.7, **changes: Any) -> VersionSummary:
    """Version that was measured on two weeks, neither promoted nor waiting."""
    given: dict[str, Any] = {
        "version": number,
        "sha256": f"{number:064x}",
        "created_at_ms": NOON_MS + number * 86_400_000,
        "promoted_at_ms": None,
        "is_active": False,
        "is_waiting": False,
        "tags": {
            "gate": "better",
            "because": f"average precision {precision:.3f} against 0.600 of rules",
            "label_delay_days": "3",
            "train_until": f"2026-02-{number:02}",
            "features": "amount_eur_cents,spend_1h" if number == 1 else "amount_eur_cents,hour",
            "table.core_labels": str(10 * number),
        },
        "metrics": {
            "xgboost.average_precision.mean": precision,
            "xgboost.average_precision.std": 0.02,
            "gate.challenger.average_precision": precision,
            "gate.reference.average_precision": 0.6,
            "gate.challenger.brier": 0.0042,
            "gate.challenger.alerts_a_day": 61.0,
        },
        "folds": (a_fold(1, precision - 0.02), a_fold(2, precision + 0.02)),
        "reliability": (
            ReliabilityPoint(purchases=200, predicted=0.2, observed=0.22, low=0.17, high=0.28),
            ReliabilityPoint(
                purchases=80, predicted=0.6 + number / 20, observed=0.66, low=0.55, high=0.75
            ),
        ),
        "bounds": {"review_from": 0.08, "decline_from": 0.97},
        "importance": (
            FeatureImportance(feature="amount_eur_cents", gain_ratio=0.4 + number / 100),
            FeatureImportance(feature="spend_1h" if number == 1 else "hour", gain_ratio=0.2),
        ),
    }
    return VersionSummary(**given | changes)


@dataclass
class MemoryTrials:
    """The newest canary's trial, as a test sets it."""

    trial: CanaryTrial | None = None
    failure: str = ""

    def read(self) -> CanaryTrial | None:
        if self.failure:
            raise TrialUnavailable(self.failure)
        return self.trial

    def write(self, trial: CanaryTrial) -> None:
        self.trial = trial


FORMER = a_version(1, 0.65, promoted_at_ms=NOON_MS)
CHAMPION = a_version(2, 0.7, promoted_at_ms=NOON_MS + 1, is_active=True)
REJECTED = a_version(3, 0.6, tags={"gate": "not_better", "because": "it is not better"})
WAITING = a_version(4, 0.75, is_waiting=True)


def a_registry(*versions: VersionSummary) -> RegistrySummary:
    """Registry with these versions; without any, one of each state."""
    listed = versions or (WAITING, REJECTED, CHAMPION, FORMER)
    active = next((one.sha256 for one in listed if one.is_active), None)
    return RegistrySummary(written_at_ms=NOON_MS, active_sha256=active, versions=listed)


def drift_samples() -> tuple[Sample, ...]:
    """Samples of the batch jobs."""
    psi, quality = "fraudwatch_drift_psi", "fraudwatch_quality"
    return (
        Sample(psi, {"subject": "score"}, 0.02),
        Sample(psi, {"subject": "features"}, 0.31),
        Sample("fraudwatch_drift_features_moved", {}, 2),
        Sample("fraudwatch_calibration_slope", {}, 0.94),
        Sample("fraudwatch_calibration_brier", {}, 0.0041),
        Sample(f"{quality}_precision_ratio", {"label_age": "30d"}, 0.61),
        Sample(f"{quality}_precision_ratio", {"label_age": "3d"}, 0.58),
        Sample(f"{quality}_recall_ratio", {"label_age": "3d"}, 0.7),
        Sample(f"{quality}_false_positive_ratio", {"label_age": "3d"}, 0.002),
    )


@dataclass
class StoredSummary:
    """Summary that a test sets."""

    summary: RegistrySummary | None = field(default_factory=a_registry)

    def read(self) -> RegistrySummary | None:
        return self.summary


@dataclass
class ScriptedChanges:
    """``ModelChangeJobs`` that a test switches off."""

    refusal: str = ""
    started: list[tuple[ModelAction, int]] = field(default_factory=list)
    runs: list[ModelChangeRun] = field(default_factory=list)

    def require_available(self) -> None:
        if self.refusal:
            raise ModelChangeRefused(self.refusal)

    def start(self, action: ModelAction, version: int) -> str:
        self.require_available()
        self.started.append((action, version))
        run_id = f"manual__{len(self.started)}"
        self.runs.insert(
            0,
            ModelChangeRun(
                run_id=run_id,
                action=action,
                version=str(version),
                state="queued",
                started_at=None,
            ),
        )
        return run_id

    def newest(self, limit: int) -> Sequence[ModelChangeRun]:
        self.require_available()
        return self.runs[:limit]
