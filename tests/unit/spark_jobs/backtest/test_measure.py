from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.application.backtest.measure import measure_backtest
from fraudwatch.application.backtest.purchases import Purchases

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 3)
A, R, C, D, NONE = 0, 1, 2, 3, -1
SomePurchases = Callable[..., Purchases]

ROWS = [
    (0, "fraud", 1_000, A, R),  # found by the candidate alone
    (0, "fraud", 2_000, D, D),
    (0, "genuine", 4_000, A, D),  # wrongly declined by the candidate
    (1, "genuine", 8_000, R, A),
    (1, "unknown", 16_000, A, R),
    (1, "fraud", 32_000, A, A),  # missed by both
    (2, "fraud", 64_000, D, A),  # its payment was refused
    (2, "unknown", 128_000, R, NONE),  # nothing is left to judge it by
    (2, "genuine", 256_000, NONE, A),  # the stream never saw it
]


@pytest.fixture
def found(purchases: SomePurchases) -> dict[str, Any]:
    return measure_backtest(purchases(*ROWS, decided=(1, 2, 3), refused=(6,)), FIRST, LAST)


def test_every_purchase_is_counted(found: dict[str, Any]) -> None:
    coverage = found["coverage"]
    assert (coverage["purchases"], coverage["judged"]) == (9, 8)
    assert coverage["not_judged"] == {"no_vector": 1, "other_features": 0, "calibration_gone": 0}
    assert sum((coverage["judged_by"] | coverage["not_judged"]).values()) == 9
    assert coverage["with_live_verdict_but_not_judged"] == 1
    assert coverage["judged_without_live_verdict"] == 1
    assert (coverage["labelled"], coverage["known_frauds"], coverage["decided"]) == (7, 4, 3)


def test_each_policy_is_measured_on_the_labels_of_what_it_scored(
    found: dict[str, Any],
) -> None:
    live, candidate = found["live"], found["candidate"]
    assert (live["judged"], live["alerts"], live["outcomes"]) == (
        8, 4, {"approve": 4, "review": 2, "challenge": 0, "decline": 2},
    )  # fmt: skip
    assert (candidate["alerts"], candidate["days"]) == (4, 3)
    assert candidate["alerts_per_day"] == pytest.approx(4 / 3)
    assert candidate["outcomes_per_day"]["decline"] == pytest.approx(2 / 3)
    # Alerts: two frauds, one genuine, one of which nothing is known.
    assert candidate["precision_of_labelled"] == pytest.approx(2 / 3)
    assert (candidate["decided"], candidate["precision_of_decided"]) == (2, 0.5)
    assert (candidate["recall"], live["recall"]) == (2 / 4, 2 / 4)
    assert candidate["alerts_without_a_rule"] == 0


def test_money_counts_approved_payments_only(found: dict[str, Any]) -> None:
    assert found["live"]["money"] == {
        "caught_eur_cents": 2_000,
        "declined_eur_cents": 2_000,
        "challenged_eur_cents": 0,
        "missed_eur_cents": 33_000,
        "wrongly_blocked_eur_cents": 0,
        "value_recall_ratio": pytest.approx(2 / 35),
    }
    assert found["candidate"]["money"] == {
        "caught_eur_cents": 3_000,
        "declined_eur_cents": 2_000,
        "challenged_eur_cents": 0,
        "missed_eur_cents": 32_000,
        "wrongly_blocked_eur_cents": 4_000,
        "value_recall_ratio": pytest.approx(3 / 35),
    }


def test_a_challenge_is_an_alert_and_no_decline(purchases: SomePurchases) -> None:
    rows = [(0, "fraud", 1_000, D, C), (0, "genuine", 2_000, D, C), (1, "fraud", 4_000, A, C)]
    found = measure_backtest(purchases(*rows), FIRST, LAST)
    candidate, pairs = found["candidate"], found["overlap"]["outcomes"]
    assert (candidate["alerts"], candidate["outcomes"]["challenge"]) == (3, 3)
    assert candidate["money"] == {
        "caught_eur_cents": 5_000,
        "declined_eur_cents": 0,
        "challenged_eur_cents": 5_000,
        "missed_eur_cents": 0,
        "wrongly_blocked_eur_cents": 0,
        "value_recall_ratio": 1.0,
    }
    assert (pairs["decline"]["challenge"], pairs["approve"]["challenge"]) == (2, 1)
    assert found["overlap"]["same_outcome_ratio"] == 0.0


def test_overlap_is_over_what_both_scored(found: dict[str, Any]) -> None:
    both = found["overlap"]
    assert both["judged_by_both"] == 7
    groups = [both[name]["hits"] for name in ("both", "only_candidate", "only_live", "neither")]
    assert groups == [1, 3, 2, 1]
    assert both["alert_overlap_ratio"] == pytest.approx(1 / 6)
    assert both["same_outcome_ratio"] == pytest.approx(2 / 7)
    assert both["outcomes"] == {
        "approve": {"approve": 1, "review": 2, "challenge": 0, "decline": 1},
        "review": {"approve": 1, "review": 0, "challenge": 0, "decline": 0},
        "challenge": {"approve": 0, "review": 0, "challenge": 0, "decline": 0},
        "decline": {"approve": 1, "review": 0, "challenge": 0, "decline": 1},
    }
    assert both["only_candidate"]["known_frauds"] == 1
    assert both["only_candidate"]["fraud_eur_cents"] == 1_000
    assert both["neither"]["fraud_eur_cents"] == 32_000


def test_a_rule_counts_by_all_that_it_hit(found: dict[str, Any]) -> None:
    one = found["rules"]["one"]
    assert (one["candidate"]["hits"], one["candidate"]["known_frauds"]) == (2, 1)
    assert (one["live"]["hits"], one["live"]["precision_of_labelled"]) == (2, 1.0)


def test_a_day_without_purchases_is_a_day(purchases: SomePurchases) -> None:
    found = measure_backtest(purchases((0, "fraud", 1, A, R), (2, "unknown", 1, R, R)), FIRST, LAST)
    days = found["by_day"]
    assert [day["day"] for day in days] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert [day["purchases"] for day in days] == [1, 0, 1]
    assert [day["candidate_alerts"] for day in days] == [1, 0, 1]
    assert [day["live_alerted_frauds"] for day in days] == [0, 0, 0]
    assert found["candidate"]["days"] == 2, "a rate is over days on which something was bought"


def test_without_any_label_metrics_are_unknown_not_zero(purchases: SomePurchases) -> None:
    rows = [(0, "unknown", 1_000, R, A), (1, "unknown", 2_000, D, D)]
    found = measure_backtest(purchases(*rows), FIRST, LAST)
    for who in ("live", "candidate"):
        policy = found[who]
        assert set(policy["money"].values()) == {None}
        for name in ("precision_of_decided", "precision_of_labelled", "recall",
                     "card_precision_at_100", "card_precision_at_100_perfect"):  # fmt: skip
            assert policy[name] is None
    assert found["live"]["alerts"] == 2
    assert found["overlap"]["both"]["fraud_eur_cents"] is None


def test_without_purchases_everything_is_unknown(purchases: SomePurchases) -> None:
    found = measure_backtest(purchases(), FIRST, LAST)
    assert (found["candidate"]["alerts"], found["candidate"]["alerts_per_day"]) == (0, None)
    assert found["overlap"]["same_outcome_ratio"] is None
    assert len(found["by_day"]) == 3


def test_cards_are_ranked_by_each_policys_own_score(purchases: SomePurchases) -> None:
    rows = [(0, "genuine", 1, A, D), *[(0, "unknown", 1, R, R)] * 100, (0, "fraud", 1, D, A)]
    found = measure_backtest(purchases(*rows), FIRST, LAST)
    assert found["live"]["card_precision_at_100"] == 0.01
    assert found["candidate"]["card_precision_at_100"] == 0.0
    assert found["candidate"]["card_precision_at_100_perfect"] == 0.01


def test_what_cannot_be_complained_of_takes_no_place_in_the_ranking(
    purchases: SomePurchases,
) -> None:
    """Unlabelled: sixty that the live policy declined, forty whose payment was refused."""
    silent = [*[(0, "unknown", 1, D, D)] * 60, *[(0, "unknown", 1, A, D)] * 40]
    given = purchases(*silent, (0, "fraud", 1, D, R), refused=tuple(range(60, 101)))
    found = measure_backtest(given, FIRST, LAST)
    assert found["candidate"]["card_precision_at_100"] == 0.01
    assert given.has_truth.sum() == 1
    assert found["candidate"]["alerts"] == 101, "they stay in all counts"


rows = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["fraud", "genuine", "unknown"]),
    st.integers(0, 10**9),
    st.sampled_from([A, R, C, D, NONE]),
)


@given(st.lists(rows, max_size=40))
def test_the_live_policy_overlaps_wholly_with_itself(
    purchases: SomePurchases, judged: list[tuple[int, str, int, int]]
) -> None:
    found = measure_backtest(purchases(*((*row, row[3]) for row in judged)), FIRST, LAST)
    both, alerts = found["overlap"], found["live"]["alerts"]
    assert both["alert_overlap_ratio"] == (1.0 if alerts else None)
    assert both["same_outcome_ratio"] == (1.0 if both["judged_by_both"] else None)
    assert (both["only_candidate"]["hits"], both["only_live"]["hits"]) == (0, 0)
    assert found["live"] == found["candidate"]


@given(st.lists(st.tuples(rows, st.sampled_from([A, R, C, D, NONE])), max_size=40))
def test_every_purchase_is_in_one_place_of_every_count(
    purchases: SomePurchases, judged: list[tuple[tuple[int, str, int, int], int]]
) -> None:
    found = measure_backtest(purchases(*((*row, ours) for row, ours in judged)), FIRST, LAST)
    both, coverage = found["overlap"], found["coverage"]
    assert (
        sum(n for row in both["outcomes"].values() for n in row.values())
        == (both["judged_by_both"])
    )
    groups = ("both", "only_candidate", "only_live", "neither")
    assert sum(both[name]["hits"] for name in groups) == both["judged_by_both"]
    assert coverage["judged"] + sum(coverage["not_judged"].values()) == len(judged)
    assert sum(day["purchases"] for day in found["by_day"]) == len(judged)
    assert sum(day["live_alerts"] for day in found["by_day"]) == found["live"]["alerts"]
