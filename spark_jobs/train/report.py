"""What a training tells: one sentence for people, one object for machines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fraudwatch.batch_settings import ChallengerSettings
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.time_units import DAY_MS
from spark_jobs.train.dataset import Dataset
from spark_jobs.train.evaluating import Learned
from spark_jobs.train.promotion import Outcome
from spark_jobs.train.run_record import days_told, measured, policy_numbers, threshold_of


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run did, as it is printed."""

    outcome: Outcome
    because: str
    counted: CountedRows = field(default_factory=CountedRows)
    version: int | None = None
    sha256: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


def counted_of(data: Dataset, last: Learned) -> CountedRows:
    """The purchases of the newest fold, and those that only the extract knows."""
    draw = last.drawn
    return CountedRows(
        from_ms=data.first * DAY_MS,
        until_ms=data.today * DAY_MS,
        rows_in=draw.frauds + draw.genuine,
        rows_out=draw.frauds + round(draw.genuine * draw.genuine_ratio),
        rejected={"without_features": data.without_features} if data.without_features else {},
    )


def details_of(folds: Sequence[Learned], settings: ChallengerSettings) -> dict[str, Any]:
    """Folds, every model's numbers over them, and where the analysts' day is full."""
    found = measured(folds, settings.alerts_a_day)
    threshold = threshold_of(folds[-1], settings.alerts_a_day)
    return {
        "folds": [days_told(one.fold) for one in folds],
        "models": {
            model: {name: one._asdict() for name, one in numbers.items()}
            for model, numbers in found.models.items()
        },
        "best_model": found.best,
        "drawn": asdict(folds[-1].drawn),
        "threshold": threshold._asdict(),
        "policy": policy_numbers(folds[-1], settings),
    }


def say(report: Report, seconds: float, *, as_json: bool) -> None:
    """One object for machines, or one sentence."""
    told = {
        "outcome": str(report.outcome),
        "because": report.because,
        "version": report.version,
        "sha256": report.sha256,
        "seconds": round(seconds, 1),
        **report.details,
    }
    model = f" version {report.version}" if report.version else ""
    sentence = f"{report.outcome}{model} after {seconds:.0f} s: {report.because}"
    sys.stdout.write((json.dumps(_without_nan(told)) if as_json else sentence) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
