"""Scoring of Arrow batches as in a Spark task, without Spark, compared with the production code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fraudwatch.adapters.artefacts.policy_file import parse_policy, parse_rules
from fraudwatch.application.backtest.purchases import (
    CALIBRATION_GONE,
    NO_VECTOR,
    SERVED_VECTOR,
    VECTOR_KINDS,
    Purchases,
)
from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.evaluation.label_coverage import OUTCOMES
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import Bounds
from fraudwatch.domain.policy.policy import ControlGroup, Policy
from fraudwatch.domain.rules.rule import RuleInput
from spark_jobs.backtest.batches import INPUT_TEXTS, RULE_NAMES, scorer_for, to_purchases

DEFAULT = Path(__file__).parents[4] / "contracts/policies/default.yaml"
POLICY = parse_policy(DEFAULT.read_bytes())
OLD, NEW, GONE = "0" * 12, "1" * 12, "2" * 12
OF_OLD = Bounds(review_from=0.5, decline_from=0.9)
OF_NEW = Bounds(review_from=0.2, decline_from=0.6)


def a_batch(vectors: list[np.ndarray[Any, Any] | None], **columns: list[Any]) -> pa.RecordBatch:
    """Build a batch: vectors of the full width are served, those of the fold's width recomputed."""
    rows = len(vectors)
    packed = [None if one is None else one.astype("<f8").tobytes() for one in vectors]
    is_whole = [one is not None and len(one) == len(VECTOR_FEATURES) for one in vectors]
    usual: dict[str, Any] = {
        "transaction": pa.array([-1] * rows, pa.int64()),
        "card": pa.array(range(rows), pa.int64()),
        "event_at_ms": pa.array([5] * rows, pa.int64()),
        "amount_eur_cents": pa.array([1_000] * rows, pa.int64()),
        **{name: pa.array([False] * rows) for name in
           ("is_paid", "is_fraud", "is_genuine", "is_decided")},
        "vector_kind": pa.array([0] * rows, pa.int8()),
        "live_outcome": pa.array([-1] * rows, pa.int8()),
        "live_score": pa.array([float("nan")] * rows),
        "live_rules": pa.array([0] * rows, pa.int64()),
        **{name: pa.array([None] * rows, pa.string()) for name in INPUT_TEXTS},
        "watch_list_similarity": pa.array([None] * rows, pa.float64()),
        "calibration": pa.array([""] * rows, pa.string()),
        "probability": pa.array([None] * rows, pa.float64()),
        "served": pa.array([p if w else None for p, w in zip(packed, is_whole, strict=True)],
                           pa.binary()),
        "recomputed": pa.array([None if w else p for p, w in zip(packed, is_whole, strict=True)],
                               pa.binary()),
        "anomaly": pa.array([None] * rows, pa.float64()),
        "fraud": pa.array([None] * rows, pa.float64()),
    }  # fmt: skip
    for name, values in columns.items():
        usual[name] = pa.array(values, usual[name].type)
    return pa.RecordBatch.from_pydict(usual)


def a_vector(**features: float) -> np.ndarray[Any, Any]:
    row = np.zeros(len(VECTOR_FEATURES))
    for name, value in features.items():
        row[VECTOR_INDEX[name]] = value
    return row


def scored(*batches: pa.RecordBatch, policy: Policy = POLICY) -> Purchases:
    scorer = scorer_for(policy, {OLD: OF_OLD, NEW: OF_NEW})
    return to_purchases(pa.Table.from_batches(list(scorer(iter(batches)))))


def outcomes(found: Purchases) -> list[str]:
    return [OUTCOMES[place] for place in found.candidate.outcome.tolist()]


def test_a_watch_list_match_of_the_time_counts() -> None:
    batch = a_batch([a_vector()] * 3, watch_list_similarity=[0.95, 0.9, None])
    found = scored(batch)
    assert outcomes(found) == ["review", "approve", "approve"]
    assert found.candidate.is_hit_by(RULE_NAMES.index("watch_list_match")).tolist() == [
        True, False, False,
    ]  # fmt: skip


def test_the_results_are_those_of_the_stream() -> None:
    rapid, quiet = a_vector(purchase_count_10m=9), a_vector(merchant_purchases_30d=50)
    risky = a_vector(merchant_fraud_ratio_30d=0.4, merchant_purchases_30d=50)
    amounts = [1_000, 250_000, 400_000]
    batch = a_batch(
        [quiet, rapid, risky],
        amount_eur_cents=amounts,
        anomaly=[0.999, None, 0.2],
        fraud=[None, 0.5, None],
        probability=[None, 0.7, None],
        calibration=["", NEW, ""],
    )
    found = scored(batch, batch.slice(1, 1))
    evidence = Evidence(
        anomaly=np.array([0.999, np.nan, 0.2]), score=np.array([np.nan, 0.7, np.nan])
    )
    expected = assess(
        RuleInput(np.array(amounts), np.stack([quiet, rapid, risky])), POLICY, evidence, OF_NEW
    )
    assert found.candidate.score.tolist() == [*expected.score.tolist(), expected.score[1]]
    assert found.candidate.outcome[:3].tolist() == expected.outcome.tolist()
    assert outcomes(found) == ["review", "decline", "review", "decline"]
    hit = {name: found.candidate.is_hit_by(place).tolist() for place, name in enumerate(RULE_NAMES)}
    assert hit.pop("rapid_purchases") == [False, True, False, True]
    assert hit.pop("high_amount") == [False, True, True, True]
    assert hit.pop("risky_merchant") == [False, False, True, False]
    assert not any(any(flags) for flags in hit.values())
    assert (found.has_anomaly.tolist(), found.has_fraud.tolist()) == (
        [True, False, True, False], [False, True, False, True],
    )  # fmt: skip


@pytest.mark.parametrize("anomaly", [0.999, None])
@pytest.mark.parametrize("score", [0.7, None])
def test_a_missing_model_output_counts_as_no_model(
    anomaly: float | None, score: float | None
) -> None:
    named = NEW if score is not None else ""
    batch = a_batch([a_vector()], anomaly=[anomaly], probability=[score], calibration=[named])
    evidence = Evidence(
        anomaly=None if anomaly is None else np.array([anomaly]),
        score=None if score is None else np.array([score]),
    )
    alone = assess(RuleInput(np.array([1_000]), a_vector()[None]), POLICY, evidence, OF_NEW)
    found = scored(batch).candidate
    assert found.score.tolist() == alone.score.tolist()
    assert found.outcome.tolist() == alone.outcome.tolist()


def test_every_purchase_has_the_bounds_of_its_own_calibration() -> None:
    batch = a_batch(
        [a_vector()] * 4,
        probability=[0.3, 0.3, 0.7, 0.7],
        calibration=[OLD, NEW, OLD, NEW],
    )
    assert outcomes(scored(batch)) == ["approve", "review", "review", "decline"]
    assert outcomes(scored(batch.slice(1, 2))) == ["review", "review"]


def test_without_its_calibration_a_purchase_stays_unscored_and_is_counted() -> None:
    batch = a_batch(
        [a_vector(), a_vector(), a_vector(), None],
        probability=[0.3, 0.3, None, 0.3],
        calibration=[GONE, NEW, GONE, GONE],
        vector_kind=[0, 0, 0, VECTOR_KINDS.index(NO_VECTOR)],
    )
    found = scored(batch)
    assert found.candidate.is_scored.tolist() == [False, True, True, False]
    kinds = [VECTOR_KINDS[place] for place in found.vector_kind.tolist()]
    assert kinds == [CALIBRATION_GONE, SERVED_VECTOR, SERVED_VECTOR, NO_VECTOR]
    by_points = scored(batch, policy=replace(POLICY, scores_by_points=True))
    assert by_points.candidate.is_scored.tolist() == [True, True, True, False]
    assert by_points.candidate.score[0] < 0.01


def test_the_control_group_is_drawn_by_the_transaction_id() -> None:
    policy = replace(POLICY, control=ControlGroup(0.5, "a salt of some length"))
    ids = [f"shop:{number}" for number in range(40)]
    batch = a_batch(
        [a_vector()] * 40, transaction_id=ids, probability=[0.99] * 40, calibration=[NEW] * 40
    )
    inputs = RuleInput(np.full(40, 1_000), np.zeros((40, len(VECTOR_FEATURES))), transaction_id=ids)
    live = assess(inputs, policy, Evidence(score=np.full(40, 0.99)), OF_NEW)
    found = scored(batch, policy=policy).candidate
    assert found.outcome.tolist() == live.outcome.tolist()
    assert 0 < live.is_control.sum() < 40


def test_a_recomputed_vector_has_unknown_view_features() -> None:
    whole = a_vector(merchant_fraud_ratio_30d=0.4, merchant_purchases_30d=50)
    found = scored(a_batch([whole[: len(FEATURES)], whole]))
    assert found.candidate.is_hit_by(RULE_NAMES.index("risky_merchant")).tolist() == [False, True]


def test_a_purchase_without_a_vector_stays_unscored() -> None:
    found = scored(a_batch([None, a_vector(), None]), a_batch([None]))
    assert found.candidate.is_scored.tolist() == [False, True, False, False]
    assert np.isnan(found.candidate.score[[0, 2, 3]]).all()
    assert found.candidate.rules.tolist()[0] == 0


def test_lists_are_applied() -> None:
    lists = b"""entries:
    - {list: deny, kind: merchant, value: m-1, reason: chargebacks, by: lead,
       added_at: 2026-11-30T09:00:00Z}
    """
    batch = a_batch([a_vector(), a_vector()], merchant_id=["m-1", None])
    found = scored(batch, policy=parse_rules(DEFAULT.read_bytes(), lists))
    assert outcomes(found) == ["decline", "approve"]
