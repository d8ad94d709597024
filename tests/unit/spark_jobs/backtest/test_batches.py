"""Scoring of Arrow batches as in a Spark task, without Spark, compared with the production code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fraudwatch.adapters.artefacts.policy_file import parse_policy
from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.evaluation.label_coverage import OUTCOMES
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.rules.rule import RuleInput
from spark_jobs.backtest.batches import LIST_FIELDS, RULE_NAMES, scorer_for, to_purchases

DEFAULT = Path(__file__).parents[4] / "contracts/policies/default.yaml"
POLICY = parse_policy(DEFAULT.read_bytes())


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
        **{name: pa.array([None] * rows, pa.string()) for name in LIST_FIELDS},
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


def scored(*batches: pa.RecordBatch) -> Any:
    return to_purchases(pa.Table.from_batches(list(scorer_for(POLICY)(iter(batches)))))


def test_the_results_are_those_of_the_stream() -> None:
    rapid, quiet = a_vector(purchase_count_10m=9), a_vector(merchant_purchases_30d=50)
    risky = a_vector(merchant_fraud_ratio_30d=0.4, merchant_purchases_30d=50)
    amounts = [1_000, 250_000, 400_000]
    batch = a_batch(
        [quiet, rapid, risky],
        amount_eur_cents=amounts,
        anomaly=[0.999, None, 0.2],
        fraud=[None, 0.5, None],
    )
    found = scored(batch, batch.slice(1, 1))
    evidence = Evidence(
        anomaly=np.array([0.999, np.nan, 0.2]), fraud=np.array([np.nan, 0.5, np.nan])
    )
    expected = assess(
        RuleInput(np.array(amounts), np.stack([quiet, rapid, risky])), POLICY, evidence
    )
    assert found.candidate.score.tolist() == [*expected.score.tolist(), expected.score[1]]
    outcomes = [POLICY.levels[level].outcome for level in expected.level.tolist()]
    assert [OUTCOMES[place] for place in found.candidate.outcome[:3]] == outcomes
    hit = {name: found.candidate.is_hit_by(place).tolist() for place, name in enumerate(RULE_NAMES)}
    assert hit.pop("rapid_purchases") == [False, True, False, True]
    assert hit.pop("high_amount") == [False, True, True, True]
    assert hit.pop("risky_merchant") == [False, False, True, False]
    assert not any(any(flags) for flags in hit.values())
    assert (found.has_anomaly.tolist(), found.has_fraud.tolist()) == (
        [True, False, True, False], [False, True, False, True],
    )  # fmt: skip


@pytest.mark.parametrize(("anomaly", "fraud"), [(None, 0.7), (0.999, None), (None, None)])
def test_a_missing_model_score_counts_as_no_model(
    anomaly: float | None, fraud: float | None
) -> None:
    found = scored(a_batch([a_vector()], anomaly=[anomaly], fraud=[fraud]))
    evidence = Evidence(*(None if one is None else np.array([one]) for one in (anomaly, fraud)))
    alone = assess(RuleInput(np.array([1_000]), a_vector()[None]), POLICY, evidence)
    assert found.candidate.score.tolist() == alone.score.tolist()


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
    text = DEFAULT.read_text(encoding="utf-8").replace("merchant_id: []", 'merchant_id: ["m-1"]', 1)
    batch = a_batch([a_vector(), a_vector()], merchant_id=["m-1", None])
    table = pa.Table.from_batches(scorer_for(parse_policy(text.encode()))(iter([batch])))
    assert to_purchases(table).candidate.is_alert.tolist() == [True, False]
