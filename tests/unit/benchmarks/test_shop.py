"""Test the shop benchmark on a small world: arrivals, labels, outcomes, what rules earn."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from benchmarks import shop_command
from benchmarks.binomial_bound import lowest_share
from benchmarks.shop import FEWEST_DAYS, measure
from benchmarks.shop_arrivals import UPLOAD_EVERY_MS, UPLOAD_MS, Arrival, arrivals_of, plan_of
from benchmarks.shop_figures import outcome_figures, rule_figures
from benchmarks.shop_labels import LABEL_DELAY_DAYS, fraud_known_by, labels_of
from benchmarks.shop_log import table_of
from benchmarks.shop_text import as_text
from benchmarks.shop_verdicts import Verdicts
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.application.scoring.outcomes import APPROVE, DECLINE, REVIEW
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.time_units import DAY_MS

PLAN = plan_of(FEWEST_DAYS, customers=60, purchases_a_day=150, seed=7)
SHORT_PLAN = plan_of(3, customers=60, purchases_a_day=500, seed=7)


@cache
def arrivals() -> list[Arrival]:
    return arrivals_of(SHORT_PLAN)


@cache
def policy() -> Policy:
    return load_policy(shop_command.POLICY)


def test_some_counters_upload_hours_late_together_and_in_no_order() -> None:
    late = [one for one in arrivals() if one.arrives_ms > one.facts["event_at_ms"]]
    assert 0.02 < len(late) / len(arrivals()) < 0.15
    assert {one.facts["channel"] for one in late} == {"present"}
    delays_ms = [one.arrives_ms - one.facts["event_at_ms"] for one in late]
    assert UPLOAD_EVERY_MS + UPLOAD_MS < max(delays_ms) < DAY_MS + UPLOAD_EVERY_MS + UPLOAD_MS
    event_ms = np.array([one.facts["event_at_ms"] for one in late])
    assert (np.diff(event_ms) < 0).any()
    merchants = {one.facts["merchant_id"] for one in late}
    prompt = [one for one in arrivals() if one.facts["merchant_id"] in merchants]
    assert all(one.arrives_ms > one.facts["event_at_ms"] for one in prompt)


def test_arrivals_are_a_pure_function_of_the_plan() -> None:
    assert arrivals_of(SHORT_PLAN) == arrivals()
    assert arrivals_of(replace(SHORT_PLAN, seed=8)) != arrivals()


def test_the_folded_table_keeps_every_purchase_with_its_own_truth() -> None:
    table = table_of(arrivals())
    by_id = {f"shop:{one.facts['id']}": one for one in arrivals()}
    assert len(table.is_fraud) == len(by_id)
    for row, transaction in enumerate(table.folded.frame["transaction_id"].to_list()):
        arrival = by_id[transaction]
        assert table.event_at_ms[row] == arrival.facts["event_at_ms"]
        assert bool(table.is_fraud[row]) == arrival.is_fraud
    near = table.is_near_fraud(DAY_MS)
    assert near[table.is_fraud].all()
    assert near.sum() < len(near) / 2


def test_no_label_is_known_before_its_report_or_the_delay() -> None:
    table = table_of(arrivals())
    chargebacks, every_fraud = labels_of(table)
    at_ms = int(table.event_at_ms.max()) + LABEL_DELAY_DAYS * DAY_MS - DAY_MS
    known = fraud_known_by(chargebacks.changes, at_ms, len(table.is_fraud))
    assert known.any()
    assert (table.reported_ms[known] <= at_ms).all()
    known = fraud_known_by(every_fraud.changes, at_ms, len(table.is_fraud))
    is_old = table.event_at_ms <= at_ms - LABEL_DELAY_DAYS * DAY_MS
    np.testing.assert_array_equal(known, table.is_fraud & is_old)


def test_worlds_are_counted_together_and_the_first_half_by_rules_alone() -> None:
    report = measure([PLAN, replace(PLAN, seed=8)], policy())
    assert report["seeds"] == [7, 8]
    assert [one["name"] for one in report["labels"]] == ["chargebacks", "every fraud"]
    for labels in report["labels"]:
        rules_only, with_model, total = labels["spans"]
        assert rules_only["days"] == with_model["days"] == FEWEST_DAYS
        for count in ("honest", "honest_declined", "frauds", "declined"):
            assert rules_only[count] + with_model[count] == total[count]
        assert total["honest"] + total["frauds"] == report["purchases"]
        assert sum(labels["honest_declined_by"].values()) >= total["honest_declined"]
        assert len(labels["decline_from"]) == 2
    assert_shows_every_span_and_rule(report)


def assert_shows_every_span_and_rule(report: dict[str, Any]) -> None:
    text = "\n".join(as_text(report | {"seconds": 1.0, "peak_rss_mib": 1, "machine": {}}))
    assert text.count("with a model") == 2
    assert all(text.count(f"\n{rule.name} ") == 2 for rule in policy().rules)


def _verdicts() -> Verdicts:
    """Two rules on four purchases: the first finds a fraud that the score would not review."""
    names = [rule.name for rule in policy().rules]
    hits = np.zeros((4, len(names)), dtype=np.bool_)
    hits[[0, 1], names.index("bulk_buying")] = True
    hits[[2], names.index("card_testing")] = True
    yes, no = np.ones(4, dtype=np.bool_), np.zeros(4, dtype=np.bool_)
    return Verdicts(
        is_fraud=np.array([True, False, False, False]),
        is_near_fraud=np.array([True, False, True, False]),
        has_score=yes,
        outcome=np.array([REVIEW, REVIEW, DECLINE, APPROVE]),
        hits=hits,
        is_declined_by_score=no,
        is_below=np.array([True, False, True, True]),
        is_last_alert=no,
    )


def test_a_rule_earns_the_frauds_that_the_score_alone_would_not_review() -> None:
    rules = {one["name"]: one for one in rule_figures(_verdicts(), policy())}
    bulk, testing = rules["bulk_buying"], rules["card_testing"]
    assert (bulk["hits"], bulk["precision"], bulk["honest_hits"]) == (2, 0.5, 1)
    assert (bulk["hits_alone"], bulk["frauds_alone"], bulk["precision_alone"]) == (1, 1, 1.0)
    assert (testing["honest_hits"], testing["honest_hits_near_fraud"]) == (1, 1)
    assert (bulk["precision_alone_lower_95"], bulk["earns_floor"]) == (pytest.approx(0.05), True)
    assert (testing["precision_alone"], testing["earns_floor"]) == (0.0, False)
    assert rules["rapid_purchases"]["precision"] is None


@pytest.mark.parametrize(
    ("found", "of", "lowest"),
    [(0, 9, 0.0), (3, 3, 0.05 ** (1 / 3)), (4, 20, 0.0714), (1, 2, 0.0253)],
)
def test_the_lowest_share_is_that_of_binomial_tables(found: int, of: int, lowest: float) -> None:
    assert lowest_share(found, of) == pytest.approx(lowest, abs=1e-4)


def test_declines_of_honest_purchases_are_counted_with_their_upper_bound() -> None:
    figures = outcome_figures(_verdicts(), np.ones(4, dtype=np.bool_), 2)
    assert (figures["honest"], figures["honest_declined"], figures["declined"]) == (3, 1, 1)
    assert (figures["alerts_a_day"], figures["decline_precision"]) == (1.5, 0.0)
    assert figures["frauds_in_alerts"] == 1.0
    # Poisson's table: at a mean of 4.74 one event or fewer has a chance of 5 %.
    assert figures["honest_declined_upper_95"] == pytest.approx(4.7439 / 3, rel=1e-4)


def test_too_few_days_are_refused_with_the_number_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["shop", "--days", "10"])
    with pytest.raises(SystemExit) as stopped:
        shop_command.main()
    assert stopped.value.code == 2
    assert f"use {FEWEST_DAYS} at least" in capsys.readouterr().err
