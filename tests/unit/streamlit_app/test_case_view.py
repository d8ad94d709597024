"""Texts of a case by literals: units, words, legs between places, the world's outlines."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.application.console.casework import Shared
from fraudwatch.application.scoring.reasons import probability_sentence
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.great_circle import great_circle_km
from fraudwatch.domain.features.places import great_circle_km as great_circle_km_of_the_detector
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.messages.verdict import Mode, ModelScore, Reason, Risk, Verdict
from fraudwatch.samples import NOON_MS, a_token, a_transaction, a_verdict
from streamlit_app import world_map
from streamlit_app.case import charts as case_charts
from streamlit_app.case.feature_words import feature_meaning, feature_name, feature_value
from streamlit_app.case.history import legs, timeline
from streamlit_app.case.links import VerdictsAndLabels, link_summary
from streamlit_app.case.view import (
    contribution_title,
    explained_features,
    marks,
    model_lines,
    reason_lines,
    score_lines,
    score_text,
)

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


@pytest.mark.parametrize(
    ("feature", "value", "name", "text"),
    [
        ("spend_1h_eur_cents", 123_456.0, "Spend in 1 h", "1,234.56 EUR"),
        ("purchase_count_10m", 3.0, "Purchase count in 10 min", "3"),
        ("failed_count_1d", 2.5, "Failed count in 1 day", "2.5"),
        ("since_last_seconds", 45.0, "Time since the last purchase", "45 s"),
        ("since_last_seconds", 12_000.0, "Time since the last purchase", "3 h 20 min"),
        ("since_last_seconds", 388_800.0, "Time since the last purchase", "4.5 days"),
        ("from_located_kmh", 1_317.4, "Speed from the last known place", "1,317 km/h"),
        ("category_share_ratio", 0.125, "Share of purchases in this category", "12.5 %"),
        ("amount_over_own_mean_ratio", 12.3, "Amount over own mean", "1,230 %"),
        ("is_new_device", 1.0, "New device", "yes"),
        ("hour_of_day", 3.0, "Hour of day", "03:00"),
        ("day_of_week", 6.0, "Day of week", "Sunday"),
        ("item_count", None, "Item count", "unknown"),
        ("item_count", math.nan, "Item count", "unknown"),
        ("amount_eur_cents", 0.0, "Amount", "0.00 EUR"),
        ("merchant_fraud_ratio_30d", 0.125, "Merchant's share of fraud in 30 days", "12.5 %"),
        ("device_customers_30d", 7.0, "Customers on this device in 30 days", "7"),
        ("customer_account_age_days", 0.5, "Age of the customer account", "12 h"),
    ],
)
def test_features_are_described_in_words_and_units(
    feature: str, value: float | None, name: str, text: str
) -> None:
    assert (feature_name(feature), feature_value(feature, value)) == (name, text)


def test_every_feature_has_a_name_and_a_meaning_of_its_own() -> None:
    names = [feature_name(feature.name) for feature in VECTOR_FEATURES]
    assert len(set(names)) == len(VECTOR_FEATURES)
    assert not [name for name in names if "_" in name]
    assert feature_meaning(VECTOR_FEATURES[0].name) == VECTOR_FEATURES[0].meaning
    assert feature_meaning("gone") == "no longer in the catalogue"


def test_a_model_of_fraud_pushes_and_a_forest_measures_distance() -> None:
    parts = (Contribution("item_count", 40.0, 2.0, -0.5),)
    scores = (ModelScore("anomaly", "0" * 12, 0.5), ModelScore("fraud", "1" * 12, 0.9999))
    verdict = a_verdict(mode=Mode.WITH_ANOMALY, model_scores=scores[:1], explanation=parts)
    assert contribution_title(verdict).startswith("Distance from normal")
    assert explained_features(verdict)[0].direction == "below normal"
    learned = a_verdict(mode=Mode.WITH_MODEL, model_scores=scores, explanation=parts)
    assert contribution_title(learned) == "Push towards fraud (log-odds)"
    assert explained_features(learned)[0].direction == "away from fraud"
    assert model_lines(learned)[1].startswith(
        "Model fraud: 0.999 of 1, probability before calibration"
    )


def with_model(score: float, **changes: Any) -> Verdict:
    usual: dict[str, Any] = {
        "mode": Mode.WITH_MODEL,
        "calibration": "c" * 12,
        "review_from_score": 0.08,
        "decline_from_score": 0.97,
        "reasons": (Reason("model", 91, probability_sentence(score)),),
    }
    return a_verdict(score=score, **{**usual, **changes})


def test_a_calibrated_score_is_explained_by_purchases_and_bounds() -> None:
    verdict = with_model(0.91)
    sentence = "Fraud probability 0.91: of 100 such purchases about 91 were fraud."
    assert reason_lines(verdict) == [(sentence, "model")]
    assert score_lines(verdict) == ["Reviewed from 0.08, declined from 0.97."]
    harmless = with_model(0.91, reasons=(), decline_from_score=None)
    assert score_lines(harmless) == [sentence, "Reviewed from 0.08, no score was declined."]
    without = with_model(0.91, review_from_score=None, decline_from_score=None)
    assert score_lines(without)[0].startswith("No score was reviewed")


def test_without_a_calibration_points_explain_the_score() -> None:
    verdict = a_verdict()
    assert reason_lines(verdict)[0][0].startswith("50 points · Amount 1,200.00 EUR")
    assert score_lines(verdict) == ["Rules: 50 of 100 points; scored by rules only. Score 0.50."]
    old = with_model(0.91, calibration="", review_from_score=None, decline_from_score=None)
    assert score_lines(old)[0].startswith("Rules: 91 of 100 points")


def test_a_score_is_cut_off_so_that_only_1_is_shown_as_1() -> None:
    assert [score_text(with_model(score)) for score in (0.9996, 1.0, 0.29, 0.0)] == [
        "0.99", "1.00", "0.29", "0.00",
    ]  # fmt: skip


def test_control_group_and_novelty_are_marked() -> None:
    assert marks(with_model(0.99, is_control=True)) == ["Control group"]
    assert marks(with_model(0.001, is_novel=True)) == ["Novelty"]
    assert marks(a_verdict()) == []


@settings(deadline=None)  # the detector's is compiled at its first call
@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_distances_are_the_detectors(p1: float, l1: float, p2: float, l2: float) -> None:
    ours, theirs = great_circle_km(p1, l1, p2, l2), great_circle_km_of_the_detector(p1, l1, p2, l2)
    assert ours == pytest.approx(theirs, abs=1e-3)


def test_a_way_names_distance_time_and_speed_and_staying_is_no_way() -> None:
    paris = {"purchase_latitude": 48.8566, "purchase_longitude": 2.3522}
    bought = [
        a_transaction(transaction_id="shop:1", event_at_ms=NOON_MS - 3_600_000, **paris),
        a_transaction(transaction_id="shop:2", event_at_ms=NOON_MS - 3_000_000, **paris),
        a_transaction(
            transaction_id="shop:3", event_at_ms=NOON_MS - 2_400_000, purchase_latitude=None
        ),
        a_transaction(transaction_id="shop:4", event_at_ms=NOON_MS),
    ]
    rows = timeline(bought, {}, "shop:4")
    assert [row.transaction for row in rows if row.is_case] == ["shop:4"]
    (way,) = legs(rows)
    assert (way.distance, way.took, way.speed) == ("876 km", "50 min", "1,051 km/h")


def test_a_place_on_the_equator_and_the_meridian_is_a_place() -> None:
    origin = a_transaction(purchase_latitude=0.0, purchase_longitude=0.0)
    rows = timeline([origin], {}, "shop:1")
    assert rows[0].place == (0.0, 0.0)
    frame = world_map.frame_of([(0.0, 0.0)])
    assert frame.west < 0.0 < frame.east
    json.dumps(case_charts.places(rows).to_dict())


def test_drawings_ask_no_network_and_ring_the_case() -> None:
    rows = timeline([a_transaction()], {"shop:1": a_verdict(risk=Risk.CRITICAL)}, "shop:1")
    for chart in (case_charts.amounts(rows), case_charts.places(rows)):
        drawn = json.dumps({**chart.to_dict(), "$schema": None})
        assert "http" not in drawn
        assert "datum.is_case" in drawn


def test_case_links_are_counted_in_words() -> None:
    bought = [
        a_transaction(transaction_id="shop:1"),
        a_transaction(
            transaction_id="shop:2", event_at_ms=NOON_MS - 7_200_000, customer_token=a_token("z")
        ),
    ]
    known = VerdictsAndLabels(
        {"shop:1": a_verdict()}, {"shop:1": LabelValue.FRAUD, "shop:2": LabelValue.FRAUD}
    )
    assert link_summary(Shared.CARD, bought, known, 50) == (
        "This card: 2 purchases by 2 customers in 2 h, 1 of them an alert, 2 known frauds."
    )
    assert link_summary(Shared.IP_NETWORK, bought[:1], VerdictsAndLabels({}, {}), 1) == (
        "This IP network: the last 1 purchase by 1 customer, none of them alerts, no known fraud."
    )


def test_every_country_has_its_code_and_what_is_too_small_is_a_point() -> None:
    shapes = {one["properties"]["iso_alpha2"]: one for one in world_map.countries()}
    assert len(shapes) == len(world_map.countries()) > 220
    assert shapes["DE"]["properties"]["name"] == "Germany"
    assert shapes["DE"]["geometry"]["type"] == "MultiPolygon"
    assert shapes["SG"]["geometry"] == {"type": "Point", "coordinates": [103.8, 1.36666666]}
    assert all(len(code) == 2 and code.isupper() for code in shapes)


def test_outlines_run_clockwise_so_that_no_country_covers_the_globe() -> None:
    shapes = [one["geometry"] for one in world_map.countries()]
    rings = [p[0] for one in shapes if one["type"] == "MultiPolygon" for p in one["coordinates"]]
    assert len(rings) > 250
    assert all(world_map._area(ring) <= 0 for ring in rings)


def test_a_map_of_a_town_holds_its_country_and_not_the_world() -> None:
    near = world_map.outlines(world_map.frame_of([(52.5, 13.4)])).to_dict()
    codes = {one["id"] for drawn in near["datasets"].values() for one in drawn}
    assert "DE" in codes
    assert not {"BR", "AU", "US"} & codes
