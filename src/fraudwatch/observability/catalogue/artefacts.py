"""Declare the metrics of what the detector scores with: policy, models, views."""

from __future__ import annotations

import math
from typing import Final

from fraudwatch.observability.catalogue.metric import Kind, Label, Metric, Section, Unit

ARTEFACTS: Final = ("model", "forest", "calibration", "view", "policy")

DETECTOR_ARTEFACTS: Final = Section(
    "Detector: policy, models, views",
    ("detector",),
    "Of the artefacts in use; they are known from the first micro-batch after a start on.",
    (
        Metric(
            name="fraudwatch_detector_artefact_made_at_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning=(
                "When the artefact in use was made; view: end of its last hour, policy: when it "
                "was put to use; NaN without one"
            ),
            worry_when="it is older than its job's schedule allows: the job does not succeed",
            labels=(Label("artefact", ARTEFACTS),),
            initial=math.nan,
        ),
        Metric(
            name="fraudwatch_detector_policy_usable",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 if the policy file is valid",
            worry_when="it is 0: the previous policy stays active",
        ),
        Metric(
            name="fraudwatch_detector_models_usable",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 if the models that training published can be used",
            worry_when=(
                "it is 0: the previous model, or none, stays active; after a new features version "
                "or label delay, fit again"
            ),
        ),
        Metric(
            name="fraudwatch_detector_views_usable",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 if the published risk views can be used, or there are none",
            worry_when=(
                "it is 0: the previous views stay active, or all are of another label delay and "
                "none is used until the next one is built"
            ),
        ),
        Metric(
            name="fraudwatch_detector_newest_view_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="End of the hour that the newest risk view includes; 0 without one",
            worry_when="it is more than two hours old: the hourly job does not succeed",
        ),
        Metric(
            name="fraudwatch_detector_alerts_budget_a_day",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Alerts a day that the policy allows; NaN where it has a fixed score instead",
            worry_when="fraudwatch_detector_alerts_total increases by far more or less in a day",
            initial=math.nan,
        ),
        Metric(
            name="fraudwatch_detector_review_from_score",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Score from which purchases are reviewed; infinite: by no score",
            worry_when="it is infinite while a model is active: floors of rules fill the budget",
        ),
        Metric(
            name="fraudwatch_detector_decline_from_score",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Score from which purchases are declined; infinite: by no score",
            worry_when="it is infinite while a model is active and the policy declines by score",
        ),
    ),
)
