"""Encode many verdicts at once through a polars frame, for the detector.

Encoding JSON row by row costs several times the scoring itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from fraudwatch.application.scoring.assess import Assessment
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.messages.fields import columns_of
from fraudwatch.domain.messages.verdict import (
    VERDICT_SCHEMA,
    Mode,
    ModelScore,
    Reason,
    Verdict,
    verdict_id_of,
)
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.policy import OUTCOMES, RISKS, Policy

_VERDICT_COLUMNS = [column.name for column in columns_of(Verdict)]


class VerdictInputs(NamedTuple):
    """Fields of a batch's verdicts that are not in its transactions."""

    assessment: Assessment
    policy: Policy
    models: ActiveModels
    evidence: Evidence
    explanations: Mapping[int, Sequence[Contribution]]  # by row; most rows have none
    features_version: str
    risk_view: Sequence[str]  # of each row; empty: none
    source_partition: npt.NDArray[np.int64]
    source_offset: npt.NDArray[np.int64]
    decided_at_ms: int


def encode_verdicts(frame: pl.DataFrame, decided: VerdictInputs) -> list[bytes]:
    """Encode one JSON message per row; the same arguments give the same bytes."""
    if frame.is_empty():
        return []
    assessment, rows = decided.assessment, frame.height
    explanations: list[Sequence[Contribution]] = [()] * rows
    for row, contributions in decided.explanations.items():
        explanations[row] = contributions
    computed = {
        "schema": _all(VERDICT_SCHEMA, rows),
        "verdict_id": [verdict_id_of(one) for one in frame["transaction_id"]],
        "outcome": pl.Series(OUTCOMES, dtype=pl.String).gather(assessment.outcome),
        "risk": pl.Series(RISKS, dtype=pl.String).gather(assessment.level),
        "score": assessment.score,
        "mode": _all(str(assessment.mode), rows),
        "reasons": pl.from_arrow(_lists(Reason, assessment.reasons)),
        "route": _routes(decided.policy, assessment),
        "model_scores": pl.from_arrow(_model_scores(decided, rows)),
        "explanation": pl.from_arrow(_lists(Contribution, explanations)),
        "is_control": assessment.is_control,
        "is_novel": assessment.is_novel,
        **_bounds(decided, rows),
        "policy_version": _all(decided.policy.version, rows),
        "features_version": _all(decided.features_version, rows),
        "risk_view": pl.Series(decided.risk_view, dtype=pl.String),
        "source_partition": decided.source_partition,
        "source_offset": decided.source_offset,
        "decided_at_ms": _all(decided.decided_at_ms, rows),
    }
    columns = {
        name: computed.get(name, frame.get_column(name, default=None)) for name in _VERDICT_COLUMNS
    }
    return pl.DataFrame(columns).write_ndjson().encode().splitlines()


def _routes(policy: Policy, assessment: Assessment) -> pl.Series:
    routes = [level.route or "" for level in policy.levels]
    return pl.Series(routes, dtype=pl.String).gather(assessment.level)


def _bounds(decided: VerdictInputs, rows: int) -> dict[str, pl.Series]:
    """Return the bounds and the calibration of a model's score; none where points are the score."""
    calibration = decided.models.calibration
    if calibration is None or decided.assessment.mode is not Mode.WITH_MODEL:
        unknown = pl.Series([None], dtype=pl.Float64).new_from_index(0, rows)
        return {
            "review_from_score": unknown,
            "decline_from_score": unknown,
            "calibration": _all("", rows),
        }
    bounds = decided.assessment.bounds
    return {
        "review_from_score": _bound(bounds.review_from, rows),
        "decline_from_score": _bound(bounds.decline_from, rows),
        "calibration": _all(calibration.version, rows),
    }


def _bound(from_score: float, rows: int) -> pl.Series:
    known = None if math.isinf(from_score) else from_score
    return pl.Series([known], dtype=pl.Float64).new_from_index(0, rows)


def _all(value: str | int, rows: int) -> pl.Series:
    return pl.Series([value]).new_from_index(0, rows)


_ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}


def _lists(kind: type[Any], lists: Sequence[Sequence[Any]]) -> pa.Array:
    """Build an Arrow list column from a flat column and the end of each list: most are empty."""
    ends = np.cumsum([0, *map(len, lists)], dtype=np.int32)
    flat = [part for some in lists for part in some]
    columns = columns_of(kind)  # type: ignore[arg-type]  # mypy: a class's hash
    arrays = [
        pa.array([getattr(part, c.name) for part in flat], _ARROW_TYPES[c.type]) for c in columns
    ]
    return pa.ListArray.from_arrays(
        ends, pa.StructArray.from_arrays(arrays, [column.name for column in columns])
    )


def _model_scores(decided: VerdictInputs, rows: int) -> pa.Array:
    """Build the list column of :class:`ModelScore`, without an object for each of them."""
    scored = [
        (name, version, scores)
        for name, version, scores in (
            ("anomaly", decided.models.anomaly_version, decided.evidence.anomaly),
            ("fraud", decided.models.model_version, decided.evidence.fraud),
        )
        if scores is not None
    ]
    scores = np.stack([one[2] for one in scored], axis=1).ravel() if scored else np.empty(0)
    arrays = [
        pa.array([name for name, _, _ in scored] * rows, pa.string()),
        pa.array([version for _, version, _ in scored] * rows, pa.string()),
        pa.array(scores, pa.float64()),
    ]
    ends = np.arange(0, rows * len(scored) + 1, len(scored) or 1, dtype=np.int32)
    if not scored:
        ends = np.zeros(rows + 1, dtype=np.int32)
    names = [column.name for column in columns_of(ModelScore)]
    return pa.ListArray.from_arrays(ends, pa.StructArray.from_arrays(arrays, names))
