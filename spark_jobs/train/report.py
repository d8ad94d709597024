"""Report a training run: one sentence for people, or one JSON object."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.gate import GateResult
from spark_jobs.train.dataset import Dataset
from spark_jobs.train.evaluating import FittedFold
from spark_jobs.train.promotion import TrainingOutcome
from spark_jobs.train.run_record import (
    TrainingRun,
    fold_days,
    measure_models,
    named_days,
    threshold_of,
)
from spark_jobs.train.verdict_document import verdict_document


@dataclass(slots=True, kw_only=True)
class TrainingReport:
    """Result of a training run, as it is printed."""

    outcome: TrainingOutcome
    because: str
    counted: CountedRows = field(default_factory=CountedRows)
    version: int | None = None
    sha256: str | None = None
    strays: str = ""
    """Stray days that were left out, as a sentence; empty without one."""
    details: dict[str, Any] = field(default_factory=dict)


def counted_of(data: Dataset, last: FittedFold) -> CountedRows:
    """Count the purchases of the newest fold, and those that are only in the extract."""
    sample = last.sample
    return CountedRows(
        from_ms=data.first * DAY_MS,
        until_ms=data.today * DAY_MS,
        rows_in=sample.frauds + sample.genuine,
        rows_out=sample.frauds + round(sample.genuine * sample.genuine_ratio),
        rejected={"without_features": data.without_features} if data.without_features else {},
    )


def details_of(run: TrainingRun, decision: GateResult) -> dict[str, Any]:
    """Collect folds, what was left out, every model's metrics, and the gate's numbers."""
    data, folds, capacity = run.data, run.folds, run.settings.alerts_a_day
    metrics = measure_models(folds, capacity)
    threshold = threshold_of(folds[-1], capacity)
    return {
        "folds": [fold_days(one.fold) for one in folds],
        "stray_days": named_days(data.stray_days),
        "left_out": folds[-1].labels.left_out_document,
        "declines": folds[-1].labels.declines_document,
        "models": {
            model: {name: one._asdict() for name, one in numbers.items()}
            for model, numbers in metrics.models.items()
        },
        "best_model": metrics.best,
        "drawn": asdict(folds[-1].sample),
        "threshold": threshold._asdict(),
        "gate": asdict(decision),
        "verdict": verdict_document(run.policy, run.challenger.calibration, decision),
    }


def print_report(report: TrainingReport, seconds: float, *, as_json: bool) -> None:
    """Print the report as one JSON object, or one sentence, and one more for stray days."""
    document = {
        "outcome": str(report.outcome),
        "because": report.because,
        "version": report.version,
        "sha256": report.sha256,
        "seconds": round(seconds, 1),
        **report.details,
    }
    model = f" version {report.version}" if report.version else ""
    sentence = f"{report.outcome}{model} after {seconds:.0f} s: {report.because}"
    if report.strays:
        sentence += f". {report.strays}"
    sys.stdout.write((json.dumps(_without_nan(document)) if as_json else sentence) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
