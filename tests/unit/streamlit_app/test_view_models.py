"""Texts for analysts, by literals."""

from __future__ import annotations

import pytest

from fraudwatch.domain.messages.verdict import Reason, Risk
from streamlit_app.view_models import (
    LIST_CHARACTERS,
    RISK_WORDS,
    age_text,
    clock_time,
    duration_text,
    sentences,
    short_token,
    strongest_reason,
)

DECIDED_MS = 1_700_000_000_500  # 2023-11-14 22:13:20.5 UTC


def test_every_risk_has_a_shape_and_a_word_of_its_own() -> None:
    assert set(RISK_WORDS) == set(Risk)
    shapes = {word[0] for word in RISK_WORDS.values()}
    assert len(shapes) == len(Risk)


def test_a_time_of_another_day_names_its_day() -> None:
    day_ms = 24 * 3_600_000
    assert clock_time(DECIDED_MS, DECIDED_MS + 1_000) == "22:13:20"
    assert clock_time(DECIDED_MS, DECIDED_MS + day_ms) == "14 Nov 22:13:20"


@pytest.mark.parametrize(
    ("age_ms", "text"),
    [
        (-300, "0 s"),
        (999, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_600_000, "1 h"),
        (90_000_000, "1 d"),
    ],
)
def test_ages_are_in_their_largest_unit(age_ms: int, text: str) -> None:
    assert age_text(age_ms) == text


def test_a_duration_is_exact_while_it_is_short() -> None:
    assert duration_text(130) == "130 ms"
    assert duration_text(5_250) == "5,250 ms"
    assert duration_text(125_000) == "2 min"


def test_an_alert_without_reasons_has_a_text() -> None:
    assert sentences(()) == strongest_reason(()) == "No rule hit."


FAR, FAST = (
    Reason("far", 60, "900 km in 5 min; limit 900 km/h"),
    Reason("fast", 30, "7 in 1 h."),
)


@pytest.mark.parametrize(
    ("reasons", "text"),
    [
        ((FAST,), "7 in 1 h."),
        ((FAST, FAR), "900 km in 5 min; limit 900 km/h. +1 more"),
        (
            (FAST, FAR, Reason("blank", 99, " "), FAST),
            "900 km in 5 min; limit 900 km/h. +2 more",
        ),
    ],
)
def test_a_list_shows_the_reason_with_the_most_points(
    reasons: tuple[Reason, ...], text: str
) -> None:
    assert strongest_reason(reasons) == text


def test_novelty_goes_before_a_model_that_calls_the_purchase_harmless() -> None:
    harmless = Reason("model", 0, "Fraud probability 0.001.")
    found = strongest_reason((harmless, Reason("novelty", 0, "More unusual than 99.9%.")))
    assert found == "More unusual than 99.9%. +1 more"


def test_a_long_reason_loses_its_limit_and_is_not_cut_within_it() -> None:
    found = "x" * (LIST_CHARACTERS - 10)
    assert strongest_reason((Reason("long", 5, f"{found}; limit {'9' * 20}"),)) == f"{found}."
    endless = strongest_reason((Reason("endless", 90, "word " * 100), FAST))
    assert endless.endswith("word … +1 more")
    assert len(endless) <= LIST_CHARACTERS


def test_a_token_is_shown_without_its_key_and_short() -> None:
    assert short_token("0a1b2c3d_abcdefghijkl") == "abcdefgh"
    assert short_token("odd") == "odd"
