"""Build the document of a training run that explains its final verdicts: ``verdict.json``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.evaluation.calibration import ReliabilityBin
from fraudwatch.domain.policy.bounds import bounds_of
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.training.final_verdicts import VERDICT_NUMBERS
from fraudwatch.domain.training.gate import GateResult


def verdict_document(
    policy: Policy, calibration: Calibration, decision: GateResult
) -> dict[str, Any]:
    """Return how the challenger would have decided, beside what was served; None: unknown, or none.

    Bounds are those of the measurement, by older days; what is served follows the renewed curves.
    """
    document = {
        "policy": policy.version,
        "calibration": calibration.folds,
        "bounds": asdict(bounds_of(policy, calibration)),
        "budget_a_day": decision.budget_a_day,
        "challenger": _side(decision.challenger, decision.challenger_bins),
        "reference": _side(decision.reference, decision.reference_bins),
    }
    finite: dict[str, Any] = _finite(document)
    return finite


def _side(numbers: Mapping[str, float], bins: Sequence[ReliabilityBin]) -> dict[str, Any]:
    return {name: numbers[name] for name in VERDICT_NUMBERS if name in numbers} | {
        "reliability": [
            one._asdict() | {"interval": list(one.interval), "is_inside": one.is_inside}
            for one in bins
        ]
    }


def _finite(value: Any) -> Any:
    """Replace numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
