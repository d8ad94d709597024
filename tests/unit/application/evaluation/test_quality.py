from __future__ import annotations

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from fraudwatch.application.evaluation.ports import keys_of
from fraudwatch.domain.evaluation import budget, ranking
from fraudwatch.domain.evaluation import detection_counts as alarms
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.stack.home import ROOT
from tests.unit.application.evaluation.conftest import judged_of

HANDBOOK = ROOT.parent / "shared" / "data" / "handbook" / "transactions.parquet"


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("levels", [2, 5, 1_000_000])
def test_rankings_agree_with_scikit_learn_ties_included(seed: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    is_fraud = random.random(3_000) < 0.03
    score = np.round((random.random(3_000) + is_fraud * random.random(3_000)) * levels) / levels
    fpr, recall, _ = roc_curve(is_fraud, score, drop_intermediate=False)
    close = pytest.approx
    assert ranking.average_precision(score, is_fraud) == close(
        average_precision_score(is_fraud, score), abs=1e-12
    )
    assert ranking.auc(score, is_fraud) == close(roc_auc_score(is_fraud, score), abs=1e-12)
    for wanted in (0.001, 0.01, 0.05):
        assert ranking.recall_at_fpr(score, is_fraud, wanted) == close(
            np.interp(wanted, fpr, recall), abs=1e-12
        )


def test_the_order_of_rows_changes_nothing() -> None:
    random = np.random.default_rng(1)
    score, is_fraud = random.integers(0, 4, 500) / 4, random.random(500) < 0.1
    turned = random.permutation(500)
    assert ranking.average_precision(score, is_fraud) == ranking.average_precision(
        score[turned], is_fraud[turned]
    )


def test_average_precision_by_hand() -> None:
    # Precision is 1/1 at the first fraud and 2/4 at the second, behind a tie of two.
    score, is_fraud = np.array([0.9, 0.5, 0.5, 0.5, 0.1]), np.array([1, 0, 1, 0, 0], dtype=bool)
    assert ranking.average_precision(score, is_fraud) == 0.5 * 1 + 0.5 * 0.5


def test_recall_between_two_steps_is_interpolated_and_the_highest_at_a_step() -> None:
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    is_fraud = np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    assert ranking.recall_at_fpr(score, is_fraud, 0.5) == 0.75
    assert ranking.recall_at_fpr(score, is_fraud, 0.25) == 0.25
    tied = np.array([0.5, 0.5, 0.1, 0.1])
    assert ranking.recall_at_fpr(tied, np.array([1, 0, 1, 0], dtype=bool), 0.25) == 0.25


def test_without_frauds_or_without_genuine_purchases_nothing_is_known() -> None:
    score = np.array([0.1, 0.2])
    for is_fraud in (np.zeros(2, dtype=bool), np.ones(2, dtype=bool)):
        assert math.isnan(ranking.auc(score, is_fraud))
        assert math.isnan(ranking.recall_at_fpr(score, is_fraud, 0.01))
    assert math.isnan(ranking.average_precision(score, np.zeros(2, dtype=bool)))
    assert ranking.average_precision(score, np.ones(2, dtype=bool)) == 1


def test_a_detected_card_is_left_out_of_later_days() -> None:
    # Card 1 tops both days with a fraud. Found on day 0, it makes room for card 3 on day 1.
    labelled = judged_of([0, 0, 0, 1, 1, 1], [1, 2, 3, 1, 3, 4], [1, 0, 0, 1, 1, 0])
    score = np.array([0.9, 0.8, 0.1, 0.9, 0.5, 0.1])
    found = budget.card_precision(labelled, score, 1)
    assert found.days.tolist() == [0, 1]
    assert found.by_day.tolist() == [1, 1]
    # Two a day: day 0 finds card 1 beside card 2; day 1 finds card 3 beside card 4.
    assert budget.card_precision(labelled, score, 2).mean == 0.5


def test_a_reviewed_card_without_fraud_that_day_stays() -> None:
    labelled = judged_of([0, 1, 1], [1, 1, 2], [0, 1, 0])
    found = budget.card_precision(labelled, np.array([0.9, 0.9, 0.1]), 1)
    assert found.by_day.tolist() == [0, 1]


def test_a_card_ranks_by_its_highest_score_and_any_fraud_of_the_day_counts() -> None:
    # Card 7's fraud has the low score; its other purchase brings it to the top.
    labelled = judged_of([0, 0, 0], [7, 7, 8], [1, 0, 0])
    assert budget.card_precision(labelled, np.array([0.1, 0.9, 0.5]), 1).mean == 1


def test_the_share_is_of_the_budget_even_with_fewer_cards() -> None:
    labelled = judged_of([0, 0], [1, 2], [1, 0])
    assert budget.card_precision(labelled, np.array([0.9, 0.1]), 100).mean == 0.01


def test_equal_scores_are_ranked_by_the_cards_key() -> None:
    labelled = judged_of([0, 0], [9, 5], [0, 1])
    assert budget.card_precision(labelled, np.zeros(2), 1).mean == 1


def test_a_perfect_ranking_detects_no_more_cards_than_exist() -> None:
    labelled = judged_of([0, 0, 1, 1], [1, 2, 1, 3], [1, 0, 1, 0])
    assert budget.perfect_card_precision(labelled, 2).by_day.tolist() == [0.5, 0]


def test_value_in_the_budget_takes_the_highest_of_each_day() -> None:
    labelled = judged_of([0, 0, 1, 1], [1, 2, 3, 4], [1, 1, 0, 1], [100, 200, 300, 400])
    score = np.array([0.9, 0.8, 0.9, 0.1])
    assert budget.value_in_budget(labelled, score, 1) == 100 / 700
    assert budget.value_in_budget(labelled, score, 2) == 1


def test_an_unknown_amount_does_not_count() -> None:
    labelled = judged_of([0, 0], [1, 2], [1, 1], [float("nan"), 50])
    found = alarms.count_detections(labelled, np.array([True, False]))
    assert (found.recall, found.fraud_eur_cents, found.value_ratio) == (0.5, 0, 0)


def test_without_hits_there_is_no_precision() -> None:
    found = alarms.count_detections(judged_of([0], [1], [1]), np.array([False]))
    assert math.isnan(found.precision)
    assert (found.hits, found.recall) == (0, 0)


def test_first_alerts_count_from_a_cards_first_fraud_to_its_first_alerted_one() -> None:
    # Card 1: alerted 2 days after its first fraud; 2: at once; 3: never, its alert is no fraud.
    labelled = judged_of(
        [5, 1, 3, 4, 2, 2.5], [1, 1, 1, 2, 3, 3], [1, 1, 1, 1, 1, 0], [1, 10, 20, 40, 80, 160]
    )
    found = alarms.first_alerts(labelled, np.array([1, 0, 1, 1, 0, 1], dtype=bool))
    assert found.compromised_cards == 3
    assert found.median_days == 1.0
    assert found.never_ratio == pytest.approx(1 / 3)
    assert found.value_before_ratio == (10 + 80) / (1 + 10 + 20 + 40 + 80)


def test_without_compromised_cards_there_is_no_time() -> None:
    found = alarms.first_alerts(judged_of([0], [1], [0]), np.array([True]))
    assert found.compromised_cards == 0
    assert math.isnan(found.median_days)
    assert math.isnan(found.never_ratio)


@pytest.mark.skipif(not HANDBOOK.exists(), reason="the public benchmark's file is not beside us")
def test_the_published_maximum_of_card_precision_is_reproduced() -> None:
    # Handbook, chapter 3: trained on 2018-07-25..31, tested on 08-08..14, labels after 7 days.
    rows = pl.scan_parquet(HANDBOOK).select(
        pl.col("CUSTOMER_ID").cast(pl.String).alias("card"),
        pl.col("TX_DATETIME").dt.epoch("ms").alias("at_ms"),
        (pl.col("TX_FRAUD") == 1).alias("is_fraud"),
    )
    day = (pl.col("at_ms") // DAY_MS).alias("day")
    train, test = ((date(2018, *d) - date(1970, 1, 1)).days for d in ((7, 25), (8, 8)))
    week = rows.with_columns(day).filter(pl.col("day").is_between(train, test + 6)).collect()
    bad = week.filter("is_fraud").group_by("card").agg(pl.col("day").min().alias("known"))
    left = (
        week.filter(pl.col("day") >= test)
        .join(bad, on="card", how="left")
        .filter(pl.col("known").is_null() | (pl.col("known") > pl.col("day") - 8))
        .filter(pl.col("known").is_null() | (pl.col("known") > train + 6))
    )
    assert (len(left), left["is_fraud"].sum()) == (58_264, 385)
    labelled = LabelledScores(
        transaction=np.arange(len(left), dtype=np.uint64),
        card=keys_of(left["card"]),
        event_at_ms=left["at_ms"].to_numpy(),
        eur_cents=np.ones(len(left)),
        is_fraud=left["is_fraud"].to_numpy(),
    )
    assert budget.perfect_card_precision(labelled, 100).mean == pytest.approx(0.397, abs=0.0005)
