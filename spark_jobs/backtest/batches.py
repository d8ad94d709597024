"""Score purchases by a candidate policy in Spark's tasks, and collect the results as columns.

A task gets Arrow batches with the vectors and model scores of the time when the purchase was live,
and returns only the columns of :class:`~fraudwatch.application.backtest.purchases.Purchases`: these
must fit into the driver's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.application.backtest.purchases import (
    CALIBRATION_GONE,
    VECTOR_KINDS,
    PolicyResults,
    Purchases,
)
from fraudwatch.application.scoring.assess import Assessment, assess
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.evaluation.label_coverage import UNSCORED, LabelMask, OutcomeCodes
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import NO_BOUNDS, Bounds
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.lists import LIST_COLUMNS, DenyList
from fraudwatch.domain.rules.rule import HIT, RuleInput
from fraudwatch.domain.rules.watch_list_match import WATCH_LIST_SIMILARITY, WATCH_LIST_TEXTS

if TYPE_CHECKING:
    import pyarrow as pa

NO_CALIBRATION: Final = ""
# One bit each; a policy has no other rules.
RULE_NAMES: Final = (*RULES, DenyList.name)
# Texts that scoring reads: the id draws the control group, the lists name the others.
INPUT_TEXTS: Final = ("transaction_id", *LIST_COLUMNS, *WATCH_LIST_TEXTS)
# Columns of both the input and the result batches.
CARRIED_COLUMNS: Final = {
    "transaction": "BIGINT",
    "card": "BIGINT",
    "event_at_ms": "BIGINT",
    "amount_eur_cents": "BIGINT",
    "is_paid": "BOOLEAN",
    "is_fraud": "BOOLEAN",
    "is_genuine": "BOOLEAN",
    "is_decided": "BOOLEAN",
    "live_outcome": "TINYINT",
    "live_score": "DOUBLE",
    "live_rules": "BIGINT",
}
_RESULT_COLUMNS: Final = {
    "vector_kind": "TINYINT",
    "has_anomaly": "BOOLEAN",
    "has_fraud": "BOOLEAN",
    "outcome": "TINYINT",
    "score": "DOUBLE",
    "rules": "BIGINT",
}
RESULT_SCHEMA: Final = ", ".join(
    f"{name} {kind}" for name, kind in (CARRIED_COLUMNS | _RESULT_COLUMNS).items()
)

ScoreBatches = Callable[[Iterator["pa.RecordBatch"]], Iterator["pa.RecordBatch"]]


def scorer_for(policy: Policy, bounds: Mapping[str, Bounds]) -> ScoreBatches:
    """Build the function of a task that scores every batch by one policy.

    ``bounds`` are those of the policy by the calibration that a live verdict names.
    """

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield score_batch(batch, policy, bounds)

    return score


def score_batch(
    batch: pa.RecordBatch, policy: Policy, bounds: Mapping[str, Bounds]
) -> pa.RecordBatch:
    """Score a batch row by row; a row without any vector or without its bounds stays unscored."""
    import pyarrow as pa

    calibration = _calibrations(batch, policy)
    is_gone = ~np.isin(calibration, [NO_CALIBRATION, *bounds])
    results = _Results.unscored(batch.num_rows)
    for version in (NO_CALIBRATION, *bounds):
        chosen = calibration == version
        vectors, is_known = _vectors(batch, chosen)
        if is_known.any():
            known = batch.filter(pa.array(is_known))
            inputs = _rule_input(known, vectors)
            of_version = bounds.get(version, NO_BOUNDS)
            results.put(is_known, policy, assess(inputs, policy, _evidence(known), of_version))
    columns: dict[str, Any] = {name: batch.column(name) for name in CARRIED_COLUMNS}
    kind = _vector_kinds(batch, is_gone)
    found = (kind, *_has_model_scores(batch), results.outcome, results.score, results.rules)
    for name, values in zip(_RESULT_COLUMNS, found, strict=True):
        columns[name] = pa.array(values)
    return pa.RecordBatch.from_pydict(columns)


def to_purchases(answers: pa.Table) -> Purchases:
    """Convert all results to columns."""

    def column(name: str) -> Any:
        return answers.column(name).to_numpy()

    return Purchases(
        transaction=column("transaction").view(np.uint64),
        card=column("card").view(np.uint64),
        event_at_ms=column("event_at_ms"),
        known=LabelMask(
            is_fraud=column("is_fraud"),
            is_genuine=column("is_genuine"),
            is_decided=column("is_decided"),
            eur_cents=column("amount_eur_cents"),
            is_paid=column("is_paid"),
        ),
        vector_kind=column("vector_kind"),
        has_anomaly=column("has_anomaly"),
        has_fraud=column("has_fraud"),
        candidate=PolicyResults(
            outcome=column("outcome"), score=column("score"), rules=column("rules")
        ),
        live=PolicyResults(
            outcome=column("live_outcome"), score=column("live_score"), rules=column("live_rules")
        ),
        rule_names=RULE_NAMES,
    )


class _Results(NamedTuple):
    """Results of the candidate for the rows of a batch, unscored until they are put in."""

    outcome: OutcomeCodes
    score: Float64s
    rules: Int64s

    @classmethod
    def unscored(cls, rows: int) -> _Results:
        outcome = np.full(rows, UNSCORED, dtype=np.int8)
        return cls(outcome, np.full(rows, np.nan), np.zeros(rows, dtype=np.int64))

    def put(self, chosen: Bools, policy: Policy, assessment: Assessment) -> None:
        self.outcome[chosen], self.score[chosen] = assessment.outcome, assessment.score
        bits = np.array([1 << RULE_NAMES.index(rule.name) for rule in policy.rules], np.int64)
        self.rules[chosen] = (assessment.answers == HIT) @ bits


def _vectors(batch: pa.RecordBatch, chosen: Bools) -> tuple[Float64s, Bools]:
    """Return the vectors of the chosen rows that have one, and a flag for each row.

    A recomputed vector has unknown view features: which view was valid is no longer known.
    """
    is_served = chosen & _is_valid(batch, "served")
    is_known = is_served | (chosen & _is_valid(batch, "recomputed"))
    vectors = np.full((int(is_known.sum()), len(VECTOR_FEATURES)), np.nan)
    vectors[is_served[is_known]] = _unpacked(batch, "served", is_served, len(VECTOR_FEATURES))
    is_recomputed = is_known & ~is_served
    rows = np.flatnonzero(is_recomputed[is_known])
    vectors[rows, : len(FEATURES)] = _unpacked(batch, "recomputed", is_recomputed, len(FEATURES))
    return vectors, is_known


def _unpacked(batch: pa.RecordBatch, name: str, chosen: Bools, width: int) -> Float64s:
    import pyarrow as pa

    packed: Sequence[bytes] = batch.column(name).filter(pa.array(chosen)).to_pylist()
    flat = np.frombuffer(b"".join(packed), dtype="<f8").astype(np.float64)
    return flat.reshape(-1, width)


def _rule_input(batch: pa.RecordBatch, vectors: Float64s) -> RuleInput:
    amounts: Int64s = batch.column("amount_eur_cents").to_numpy()
    return RuleInput(
        amounts,
        vectors,
        event_at_ms=batch.column("event_at_ms").to_numpy(),
        watch_list_similarity=_doubles(batch, WATCH_LIST_SIMILARITY),
        **{name: batch.column(name).to_pylist() for name in INPUT_TEXTS},
    )


def _evidence(batch: pa.RecordBatch) -> Evidence:
    """Read the model outputs of that time; NaN without one, which counts as no model."""
    return Evidence(
        anomaly=_doubles(batch, "anomaly"),
        fraud=_doubles(batch, "fraud"),
        score=_doubles(batch, "probability"),
    )


def _calibrations(batch: pa.RecordBatch, policy: Policy) -> npt.NDArray[np.object_]:
    """Return the calibration of each row's probability; none where points are the score."""
    named: npt.NDArray[np.object_] = batch.column("calibration").to_numpy(zero_copy_only=False)
    needs_bounds = _is_valid(batch, "probability") & (not policy.scores_by_points)
    return np.where(needs_bounds, named, NO_CALIBRATION)


def _vector_kinds(batch: pa.RecordBatch, is_gone: Bools) -> OutcomeCodes:
    """Return the vector of each row, or that its calibration is gone."""
    given: OutcomeCodes = batch.column("vector_kind").to_numpy()
    has_vector = _is_valid(batch, "served") | _is_valid(batch, "recomputed")
    return np.where(is_gone & has_vector, np.int8(VECTOR_KINDS.index(CALIBRATION_GONE)), given)


def _has_model_scores(batch: pa.RecordBatch) -> tuple[Bools, Bools]:
    return _is_valid(batch, "anomaly"), _is_valid(batch, "fraud")


def _doubles(batch: pa.RecordBatch, name: str) -> Float64s:
    values: Float64s = batch.column(name).to_numpy(zero_copy_only=False)
    return values


def _is_valid(batch: pa.RecordBatch, name: str) -> Bools:
    flags: Bools = batch.column(name).is_valid().to_numpy(zero_copy_only=False)
    return flags
