from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fraudwatch.adapters.artefacts.forest_artefact import forest_model
from fraudwatch.adapters.artefacts.model_artefact import Artefact
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_model
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.application.scoring.explain import MAX_CONTRIBUTIONS, explain
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.messages.fields import json_schema_of
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import Normal

if TYPE_CHECKING:
    from tests.unit.adapters.artefacts.conftest import Rows, SomeRows


@pytest.fixture
def models(forest: Artefact) -> ActiveModels:
    """Forest for which 100 is normal for every feature, with a spread of 10."""
    width = len(forest.about.features)
    normal = Normal(np.full(width, 100.0), np.full(width, 10.0))
    return ActiveModels(anomaly=forest_model(replace(forest, normal=normal), "0" * 64))


def a_vector(**known: float) -> Rows:
    vector = np.full((1, len(FEATURES)), np.nan)
    for name, value in known.items():
        vector[0, FEATURE_INDEX[name]] = value
    return vector


def test_without_a_model_nothing_is_explained() -> None:
    assert explain(ActiveModels(), np.zeros((2, len(FEATURES)))) == ((), ())


def test_a_feature_contributes_its_distance_from_the_normal(models: ActiveModels) -> None:
    vector = a_vector(item_count=150, from_located_km=20, known_devices_count=100)
    assert explain(models, vector) == (
        (
            Contribution("from_located_km", 20.0, 100.0, -8.0),
            Contribution("item_count", 150.0, 100.0, 5.0),
        ),
    )


def test_an_amount_is_measured_by_the_customers_own(models: ActiveModels) -> None:
    vector = a_vector(
        amount_eur_cents=50_000,
        own_amount_mean_eur_cents=2_000,
        own_amount_deviation_eur_cents=400,
        amount_over_own_mean_ratio=25,
    )
    assert explain(models, vector) == (
        (Contribution("amount_eur_cents", 50_000.0, 2_000.0, 120.0),),
    )


def test_the_spread_of_few_purchases_is_at_least_a_tenth(models: ActiveModels) -> None:
    vector = a_vector(
        amount_eur_cents=3_000,
        own_amount_mean_eur_cents=2_000,
        own_amount_deviation_eur_cents=0,
    )
    assert explain(models, vector)[0][0].contribution == 5.0


def test_one_purchase_gives_a_mean_and_the_spread_of_training(models: ActiveModels) -> None:
    vector = a_vector(amount_eur_cents=2_050, own_amount_mean_eur_cents=2_000)
    assert explain(models, vector)[0] == (Contribution("amount_eur_cents", 2_050.0, 2_000.0, 5.0),)


def test_an_unknown_customer_is_compared_with_the_training_rows(models: ActiveModels) -> None:
    vector = a_vector(amount_eur_cents=150, hour_of_day=90)
    assert explain(models, vector)[0] == (
        Contribution("amount_eur_cents", 150.0, 100.0, 5.0),
        Contribution("hour_of_day", 90.0, 100.0, -1.0),
    )


def test_the_customers_own_hours_replace_the_hour(models: ActiveModels) -> None:
    vector = a_vector(hour_of_day=3, own_hour_share_ratio=0)
    assert explain(models, vector)[0] == (Contribution("own_hour_share_ratio", 0.0, 100.0, -10.0),)


def test_a_constant_feature_contributes_nothing(models: ActiveModels) -> None:
    assert models.anomaly is not None
    alike = Normal(models.anomaly.normal.median, np.zeros(len(models.anomaly.about.features)))
    models = ActiveModels(anomaly=replace(models.anomaly, normal=alike))
    assert explain(models, a_vector(item_count=150)) == ((),)


def test_only_the_largest_contributions_are_returned_ties_in_catalogue_order(
    models: ActiveModels,
) -> None:
    explanation = explain(models, np.full((1, len(FEATURES)), 110.0))[0]
    assert len(explanation) == MAX_CONTRIBUTIONS
    # Its own mean is 110 too, so that only everybody's normal is left to differ from.
    assert [one.feature for one in explanation] == [
        feature.name for feature in FEATURES[:MAX_CONTRIBUTIONS]
    ]


def test_a_classifier_is_explained_by_its_shap_values(
    models: ActiveModels, xgboost: Artefact, some_rows: SomeRows
) -> None:
    fraud = xgboost_model(xgboost, "1" * 64)
    both = ActiveModels(anomaly=models.anomaly, fraud=fraud)
    rows = some_rows(50)
    parts = fraud.contributions(rows)
    for row, part, explanation in zip(rows, parts, explain(both, rows), strict=True):
        assert {one.feature for one in explanation} <= set(fraud.about.features)
        for one in explanation:
            assert one.contribution == part[fraud.about.features.index(one.feature)]
            value = row[FEATURE_INDEX[one.feature]]
            assert one.value == (None if np.isnan(value) else value)
        sizes = [abs(one.contribution) for one in explanation]
        assert sizes == sorted(sizes, reverse=True)
    dear = a_vector(amount_eur_cents=9, own_amount_mean_eur_cents=2)
    (first, *others) = explain(both, dear)[0]
    assert (first.feature, first.value, first.normal) == ("amount_eur_cents", 9.0, 2.0)
    assert first.contribution > 1
    assert {one.value for one in others} <= {None}


def test_the_same_input_gives_the_same_bytes(
    models: ActiveModels, xgboost: Artefact, some_rows: SomeRows
) -> None:
    fraud = ActiveModels(fraud=xgboost_model(xgboost, "1" * 64))
    rows = some_rows(20)
    for each in (models, fraud):
        together = [encode(one) for explanation in explain(each, rows) for one in explanation]
        alone = [
            encode(one)
            for i in range(20)
            for explanation in explain(each, rows[i : i + 1])
            for one in explanation
        ]
        assert together == alone


def test_a_contribution_can_stand_in_a_message() -> None:
    schema = json_schema_of(Contribution, title="contribution")
    assert schema["properties"]["value"]["type"] == ["number", "null"]
    assert encode(Contribution("item_count", None, 1.0, 2.0)) == (
        b'{"feature":"item_count","value":null,"normal":1.0,"contribution":2.0}'
    )
