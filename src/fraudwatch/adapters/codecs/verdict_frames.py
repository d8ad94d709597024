"""Many verdicts at once, through a polars frame: what the detector writes.

Writing JSON row by row costs several times what the judgement itself costs.
"""

from __future__ import annotations

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
    ModelScore,
    Reason,
    Verdict,
    verdict_id_of,
)
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.policy import Policy

_VERDICT_COLUMNS = [column.name for column in columns_of(Verdict)]


class Decided(NamedTuple):
    """Everything about a batch's verdicts that is not in its transactions."""

    assessment: Assessment
    policy: Policy
    models: ActiveModels
    evidence: Evidence
    explanations: Mapping[int, Sequence[Contribution]]  # by row; most rows have none
    features_version: str
    risk_view: Sequence[str]  # of each row; empty text: none
    source_partition: npt.NDArray[np.int64]
    source_offset: npt.NDArray[np.int64]
    decided_at_ms: int


def encode_verdicts(frame: pl.DataFrame, decided: Decided) -> list[bytes]:
    """One JSON message per row; the same arguments give the same bytes."""
    if frame.is_empty():
        return []
    held, levels, rows = decided.assessment, decided.policy.levels, frame.height
    explanations: list[Sequence[Contribution]] = [()] * rows
    for row, told in decided.explanations.items():
        explanations[row] = told
    computed = {
        "schema": _all(VERDICT_SCHEMA, rows),
        "verdict_id": [verdict_id_of(one) for one in frame["transaction_id"]],
        "outcome": _by_level([str(level.outcome) for level in levels], held),
        "risk": _by_level([str(level.risk) for level in levels], held),
        "score": held.score,
        "mode": _all(str(held.mode), rows),
        "reasons": pl.from_arrow(_lists(Reason, held.reasons)),
        "route": _by_level([level.route or "" for level in levels], held),
        "model_scores": pl.from_arrow(_model_scores(decided, rows)),
        "explanation": pl.from_arrow(_lists(Contribution, explanations)),
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


def _by_level(texts: Sequence[str], held: Assessment) -> pl.Series:
    return pl.Series(texts, dtype=pl.String).gather(held.level)


def _all(value: str | int, rows: int) -> pl.Series:
    return pl.Series([value]).new_from_index(0, rows)


_ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}


def _lists(kind: type[Any], lists: Sequence[Sequence[Any]]) -> pa.Array:
    """Lists of parts as one flat column and where each list ends: most lists are empty."""
    ends = np.cumsum([0, *map(len, lists)], dtype=np.int32)
    flat = [part for some in lists for part in some]
    columns = columns_of(kind)  # type: ignore[arg-type]  # mypy: a class's hash
    arrays = [
        pa.array([getattr(part, c.name) for part in flat], _ARROW_TYPES[c.type]) for c in columns
    ]
    return pa.ListArray.from_arrays(
        ends, pa.StructArray.from_arrays(arrays, [column.name for column in columns])
    )


def _model_scores(decided: Decided, rows: int) -> pa.Array:
    """As :func:`_lists` of :class:`ModelScore`, without an object for each of them."""
    said = [
        (name, version, scores)
        for name, version, scores in (
            ("anomaly", decided.models.anomaly_version, decided.evidence.anomaly),
            ("fraud", decided.models.model_version, decided.evidence.fraud),
        )
        if scores is not None
    ]
    scores = np.stack([one[2] for one in said], axis=1).ravel() if said else np.empty(0)
    arrays = [
        pa.array([name for name, _, _ in said] * rows, pa.string()),
        pa.array([version for _, version, _ in said] * rows, pa.string()),
        pa.array(scores, pa.float64()),
    ]
    ends = np.arange(0, rows * len(said) + 1, len(said) or 1, dtype=np.int32)
    if not said:
        ends = np.zeros(rows + 1, dtype=np.int32)
    names = [column.name for column in columns_of(ModelScore)]
    return pa.ListArray.from_arrays(ends, pa.StructArray.from_arrays(arrays, names))
