"""Metrics of scored micro-batches."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY

from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.models.fitted import ModelMetadata
from fraudwatch.domain.policy.bounds import Bounds
from fraudwatch.domain.policy.policy import RISKS, AlertBudget, FixedScore, Level, Policy
from fraudwatch.domain.rules.high_amount import HighAmount
from fraudwatch.domain.rules.rule import RuleInput
from fraudwatch.domain.views.catalogue import VALID_AFTER_MS
from fraudwatch.domain.views.published import NO_VIEWS, Published, RiskViews
from streaming.detector.artefact_times import export_artefact_times
from streaming.detector.counting import count_latencies, count_verdicts, set_budget
from tests.calibrations import a_calibration

POLICY = Policy(
    version="1",
    rules=(HighAmount(points=50, at_least_eur_cents=100_000),),
    levels=tuple(Level(risk, 30 * place) for place, risk in enumerate(RISKS)),
    floors={HighAmount.name: Outcome.REVIEW},
)
BOUNDS = Bounds(review_from=0.4, decline_from=0.9)


@dataclasses.dataclass(frozen=True)
class AModel:
    """A classifier as far as it is counted."""

    version: str = "0123456789ab"
    about: Any = dataclasses.field(default_factory=lambda: an_about(5_000))


def an_about(fitted_at_ms: int) -> Any:
    about = object.__new__(ModelMetadata)
    object.__setattr__(about, "fitted_at_ms", fitted_at_ms)
    return about


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, (name, labels)
    return found


def grown(count: Any, *series: tuple[str, dict[str, str]]) -> list[float]:
    before = [value(name, **labels) for name, labels in series]
    count()
    now = [value(name, **labels) for name, labels in series]
    return [after - was for after, was in zip(now, before, strict=True)]


def inputs(*amounts: int) -> RuleInput:
    return RuleInput(
        np.array(amounts, dtype=np.int64), np.full((len(amounts), len(VECTOR_FEATURES)), np.nan)
    )


def verdicts(risk: str, outcome: str) -> tuple[str, dict[str, str]]:
    return "fraudwatch_detector_verdicts_total", {"risk": risk, "outcome": outcome}


def test_verdicts_are_counted_by_risk_outcome_rule_and_model() -> None:
    scores = np.array([0.005, 0.2, 0.45, 0.95])
    result = assess(inputs(1, 200_000, 1, 200_000), POLICY, Evidence(score=scores), BOUNDS)
    models: Any = dataclasses.replace(ActiveModels(), fraud=AModel())  # type: ignore[arg-type]
    name = "fraudwatch_detector_verdicts_by_model_total"
    count_verdicts(result, POLICY, models)  # the series of the model exists from now on
    assert grown(
        lambda: count_verdicts(result, POLICY, models),
        verdicts("LOW", "approve"),
        verdicts("MEDIUM", "review"),
        verdicts("CRITICAL", "decline"),
        ("fraudwatch_detector_rule_hits_total", {"rule": "high_amount"}),
        ("fraudwatch_detector_rule_hits_total", {"rule": "card_testing"}),
        (name, {"model": "0123456789ab"}),
        ("fraudwatch_detector_alerts_total", {}),
        ("fraudwatch_detector_score_count", {}),
        ("fraudwatch_detector_score_bucket", {"le": "0.01"}),
        ("fraudwatch_detector_score_bucket", {"le": "0.9"}),
    ) == [1, 2, 1, 2, 0, 4, 3, 4, 1, 3]


def test_without_a_model_verdicts_are_counted_as_of_none() -> None:
    result = assess(inputs(1), POLICY)
    series = ("fraudwatch_detector_verdicts_by_model_total", {"model": "none"})
    count_verdicts(result, POLICY, ActiveModels())
    assert grown(lambda: count_verdicts(result, POLICY, ActiveModels()), series) == [1]


def test_a_clock_that_is_behind_makes_no_negative_latency() -> None:
    name = "fraudwatch_event_to_verdict_seconds"
    assert grown(
        lambda: count_latencies(np.array([-0.5, 0.1, 99.0])),
        (f"{name}_count", {}),
        (f"{name}_bucket", {"le": "0.1"}),
        (f"{name}_sum", {}),
    ) == [3, 2, pytest.approx(99.1)]


def test_the_budget_is_that_of_the_policy_and_unknown_for_a_fixed_score() -> None:
    set_budget(dataclasses.replace(POLICY, review=AlertBudget(35)))
    assert value("fraudwatch_detector_alerts_budget_a_day") == 35
    set_budget(dataclasses.replace(POLICY, review=FixedScore(0.5)))
    assert math.isnan(value("fraudwatch_detector_alerts_budget_a_day"))


@dataclasses.dataclass
class Artefacts:
    """Artefacts in use, which may change."""

    in_use: Any
    in_use_since_seconds: float | None = None


def made_at(artefact: str) -> float:
    return value("fraudwatch_detector_artefact_made_at_seconds", artefact=artefact)


def test_artefacts_are_dated_by_their_own_record_and_unknown_without_one() -> None:
    models, views, policy = Artefacts(ActiveModels()), Artefacts(NO_VIEWS), Artefacts(None)
    export_artefact_times(models, views, policy)
    assert all(math.isnan(made_at(one)) for one in ("model", "forest", "calibration", "view"))
    assert math.isnan(made_at("policy"))
    forest = AModel(about=an_about(6_000))
    models.in_use = ActiveModels(forest, AModel(), a_calibration("0" * 64, fitted_at_ms=7_000))  # type: ignore[arg-type]
    newest = Published("f" * 64, 9_000 + VALID_AFTER_MS)
    views.in_use = RiskViews((newest._replace(valid_from_ms=0), newest), NO_VIEWS.open_view)
    policy.in_use_since_seconds = 8.0
    times = [made_at(one) for one in ("model", "forest", "calibration", "policy", "view")]
    assert times == [5, 6, 7, 8, 9]
