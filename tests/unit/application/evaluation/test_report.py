from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fraudwatch.adapters.datasets.labels import read_labelled_purchases
from fraudwatch.adapters.datasets.mapping import load_mapping
from fraudwatch.application.evaluation.columns import MAX_RULES, TooManyRules
from fraudwatch.application.evaluation.join import NO_RATE, UNEXPLAINED, NothingToReport
from fraudwatch.application.evaluation.measure import report
from fraudwatch.application.evaluation.ports import LabelledPurchases, Verdicts
from fraudwatch.cli.evaluation_text import as_text
from fraudwatch.domain.money import RateTable
from tests.unit.application.evaluation.conftest import ROWS, verdicts_on

if TYPE_CHECKING:
    from tests.unit.application.evaluation.conftest import WriteFiles

ALERT = {"outcome": "review", "score": 0.5, "rules": ("high_amount",)}
GIVEN: dict[str, dict[str, Any]] = {
    "test:t-a1": {},
    "test:t-a2": {},
    "test:t-a3": ALERT,
    "test:t-a4": {"outcome": "decline", "score": 0.9, "rules": ("high_amount", "of_mine")},
    "test:t-a5": ALERT,
    "test:t-b9": ALERT,
}


@pytest.fixture
def labelled(write_files: WriteFiles) -> LabelledPurchases:
    files = write_files(ROWS)
    return read_labelled_purchases(files.labels, load_mapping(files.mapping), RateTable([]))


def together(one: Verdicts, other: Verdicts) -> Verdicts:
    columns = ("transaction", "verdict", "score", "outcome", "rules", "scorer")
    both = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in columns}
    return replace(one, **both)


def test_every_number_of_six_purchases_by_hand(labelled: LabelledPurchases) -> None:
    found = report(labelled, verdicts_on(GIVEN))
    assert (found["transactions"], found["frauds"]) == (6, 3)
    assert (found["verdicts"], found["missing"], found["missing_frauds"]) == (5, 1, 0)
    assert found["missing_by_reason"] == {UNEXPLAINED: 1}
    assert (found["duplicates"], found["put_aside"], found["verdicts_elsewhere"]) == (0, None, 1)
    assert found["outcomes"] == {"approve": 2, "review": 2, "challenge": 0, "decline": 1}
    assert found["judged_by"] == {"rules_only, policy p1": 5}
    # Three days, alerts on a3, a4 and a5; a4 is genuine, and fraud a2 slipped through.
    assert (found["alerts"], found["alerts_per_day"]) == (3, 1)
    assert found["alert_precision"] == found["alert_recall"] == pytest.approx(2 / 3)
    assert found["value_caught_ratio"] == 0.5
    # a4 first, then a3 and a5 as one step, then the rest: 0 + 2/3 * 2/3 + 1/3 * 3/5.
    assert found["average_precision"] == pytest.approx(4 / 9 + 1 / 5)
    # 1, 0 (bob was found), 1 of 100: every compromised card is found, so is the best possible.
    assert found["card_precision_at_100"] == pytest.approx(0.02 / 3)
    assert found["card_precision_at_100_ratio"] == 1
    assert found["value_caught_at_100_ratio"] == 1
    assert found["time_to_first_alert"] == {
        "compromised_cards": 2,
        "median_days": 0.5,
        "never_ratio": 0.0,
        "value_before_ratio": 0.5,
    }
    assert found["by_rule"]["high_amount"] == {
        "hits": 3,
        "frauds": 2,
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "fraud_eur_cents": 50000,
        "value_ratio": 0.5,
    }
    assert (found["by_rule"]["of_mine"]["hits"], found["by_rule"]["of_mine"]["frauds"]) == (1, 0)
    assert found["by_rule"]["impossible_travel"]["precision"] is None
    assert found["by_day"][1] == {
        "day": "2020-01-02",
        "verdicts": 2,
        "frauds": 1,
        "alerts": 2,
        "alerted_frauds": 1,
        "fraud_eur_cents": 30000,
        "alerted_fraud_eur_cents": 30000,
        "card_precision_at_100": 0.0,
    }
    # The three frauds are the dearest.
    assert found["baselines"]["amount"]["average_precision"] == 1
    assert set(found["baselines"]) == {
        "amount",
        *(f"rule {rule}" for rule in found["by_rule"]),
    }


def test_exclusions_are_described_with_their_counts(labelled: LabelledPurchases) -> None:
    lacking = replace(labelled, unlabelled=7, repeated=8, without_time=9)
    sentences = "\n".join(report(lacking, verdicts_on(GIVEN))["exclusions"])
    assert "1 labelled purchases have none, 0 frauds among them" in sentences
    for words in ("No card is excluded", "7 rows have no label", "8 rows repeat", "9 rows of the"):
        assert words in sentences
    assert "1 verdicts of the same source" in sentences
    everything = {f"test:t-a{i}": ALERT for i in range(1, 7)}
    assert "Every labelled purchase has a verdict" in "\n".join(
        report(labelled, verdicts_on(everything))["exclusions"]
    )


def test_refused_purchases_and_those_without_a_rate_are_missing_with_a_reason(
    labelled: LabelledPurchases,
) -> None:
    money = labelled.eur_cents.copy()
    money[5] = np.nan
    lacking = replace(labelled, eur_cents=money, refused={"amount is odd": 2}, refused_frauds=1)
    found = report(lacking, verdicts_on(GIVEN))
    assert found["missing_by_reason"] == {"amount is odd": 2, NO_RATE: 1}
    assert (found["transactions"], found["missing"], found["missing_frauds"]) == (8, 3, 1)
    assert found["frauds"] == 4


def test_duplicates_in_the_store_are_counted_and_evaluated_once(
    labelled: LabelledPurchases,
) -> None:
    once = verdicts_on(GIVEN)
    assert report(labelled, together(once, once))["duplicates"] == 5
    assert report(labelled, together(once, once))["verdicts"] == 5
    # Two transactions under one verdict id.
    shared = replace(once, verdict=np.where(np.arange(6) < 2, once.verdict[0], once.verdict))
    assert report(labelled, shared)["duplicates"] == 1


def test_a_row_without_a_score_is_no_verdict(labelled: LabelledPurchases) -> None:
    found = report(labelled, verdicts_on(GIVEN | {"test:t-a5": {"score": None}}))
    assert (found["verdicts"], found["missing_frauds"]) == (4, 1)


def test_nothing_in_common_is_reported_with_a_fix(labelled: LabelledPurchases) -> None:
    with pytest.raises(NothingToReport, match=r"none of the 6 .* replay first .*0 verdicts"):
        report(labelled, verdicts_on({}))
    with pytest.raises(NothingToReport, match=r"none of the 6 .* 1 verdicts of it are stored"):
        report(labelled, verdicts_on({"test:t-other": {}}))
    empty = replace(
        labelled,
        **{
            name: getattr(labelled, name)[:0]
            for name in ("transaction", "card", "event_at_ms", "eur_cents", "is_fraud")
        },
    )
    with pytest.raises(NothingToReport, match="--from and --until"):
        report(empty, verdicts_on(GIVEN))


def test_without_frauds_numbers_are_unknown_and_valid_json(labelled: LabelledPurchases) -> None:
    found = report(replace(labelled, is_fraud=np.zeros(6, dtype=np.bool_)), verdicts_on(GIVEN))
    assert found["average_precision"] is None
    assert found["time_to_first_alert"]["median_days"] is None
    json.dumps(found, allow_nan=False)


def test_the_same_input_gives_the_same_report_in_any_order(
    labelled: LabelledPurchases,
) -> None:
    turned = dict(reversed(GIVEN.items()))
    one, other = report(labelled, verdicts_on(GIVEN)), report(labelled, verdicts_on(turned))
    assert json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def test_the_text_shows_the_same_numbers_and_a_dash_for_unknown(
    labelled: LabelledPurchases,
) -> None:
    shown = list(as_text({"labels": "six.parquet", **report(labelled, verdicts_on(GIVEN))}))
    lines = [line.split() for line in shown]
    assert ["missing", "1"] in lines
    assert ["put", "aside", "-"] in lines
    assert ["alert", "recall", "0.667"] in lines
    assert ["high_amount", "3", "2", "0.667", "0.667", "0.500"] in lines
    assert ["2020-01-02", "2", "1", "2", "1", "0.000"] in lines
    assert any(line.startswith("amount ") for line in shown)


def test_more_rules_than_bits_are_refused() -> None:
    names = tuple(f"rule{i}" for i in range(MAX_RULES + 1))
    with pytest.raises(TooManyRules):
        verdicts_on({"test:1": {"rules": names}})
    everything = verdicts_on({"test:1": {"rules": names[:MAX_RULES]}})
    assert everything.rules.tolist() == [2**64 - 1]
