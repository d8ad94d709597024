"""Judge a challenger by its final verdicts under the live policy, beside those that were served."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from fraudwatch.application.promotion.final_outcomes import (
    FinalOutcomes,
    budget_a_day,
    outcomes_with_model,
    outcomes_without_model,
)
from fraudwatch.application.promotion.promote import ModelLifecycle
from fraudwatch.batch_settings import ChallengerSettings
from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.models.fitted import VERSION_LENGTH, BrokenModel
from fraudwatch.domain.policy.bounds import bounds_of
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.training.final_verdicts import FinalVerdicts
from fraudwatch.domain.training.gate import GateConfig, GateDecision, GateInput, GateResult, decide
from spark_jobs.train.dataset import NotEnoughData
from spark_jobs.train.promotion import TRAINED_UNTIL, Challenger
from spark_jobs.train.recent_days import RecentDays

log = logging.getLogger("train_model")


def apply_gate(
    models: ModelLifecycle, challenger: Challenger, policy: Policy, settings: ChallengerSettings
) -> GateResult:
    """Compare the challenger's final verdicts with those served on its test days.

    Raises:
        NotEnoughData: too few frauds for a decision.
    """
    name, reference = reference_verdicts(models, challenger, policy)
    contest = GateInput(
        labelled=challenger.fitted.tested.labelled,
        challenger=challenger_verdicts(challenger, policy),
        reference=reference,
        reference_name=name,
        budget_a_day=_budget_a_day(challenger, policy),
    )
    terms = GateConfig(
        fewest_frauds=settings.fewest_frauds, cards_a_day=settings.alerts_a_day, seed=settings.seed
    )
    decision = decide(contest, terms)
    if decision.ruling is GateDecision.INCONCLUSIVE:
        raise NotEnoughData(f"{decision.because}; nothing was changed and the active model stays")
    return decision


def challenger_verdicts(challenger: Challenger, policy: Policy) -> FinalVerdicts:
    """Return the verdicts that the challenger would give, by bounds of older days.

    A policy that scores by points is judged as if it used the model, which it may do next.
    """
    recent, calibration = challenger.recent, challenger.calibration
    with_model = replace(policy, scores_by_points=False)
    bounds, score = bounds_of(with_model, calibration), calibration.score(recent.log_odds)
    outcomes = outcomes_with_model(with_model, bounds, recent.inputs, score)
    return _of_tested(challenger, outcomes)


def reference_verdicts(
    models: ModelLifecycle, challenger: Challenger, policy: Policy
) -> tuple[str, FinalVerdicts]:
    """Return the served verdicts of the test days: the champion's, else all.

    Days that the champion was trained on do not count. A champion that the stream leaves out, as
    the features or the label delay changed, is replaced by what is served without it: the rules.
    """
    recent, active = challenger.recent, models.model_store.current()
    served = FinalOutcomes(recent.served_score, recent.is_alert, recent.is_score_decline)
    if active is None:
        return "the verdicts without a model", _of_tested(challenger, served)
    if not _can_be_used(models, active):
        rules = outcomes_without_model(policy, recent.inputs)
        rules = rules._replace(score=np.where(np.isnan(recent.served_score), np.nan, rules.score))
        return "the rules alone (the champion cannot be used)", _of_tested(challenger, rules)
    score = recent.model_score if policy.scores_by_points else recent.served_score
    is_its = _is_champions(models, recent, active)
    served = served._replace(score=np.where(is_its, score, np.nan))
    return f"champion {active[:VERSION_LENGTH]}", _of_tested(challenger, served)


def _is_champions(models: ModelLifecycle, recent: RecentDays, active: str) -> Bools:
    champion = models.champion()
    until_ms = int(champion.tags.get(TRAINED_UNTIL, 0)) if champion else 0
    is_its: Bools = recent.model_version == active[:VERSION_LENGTH]
    return is_its & (recent.event_at_ms >= until_ms)


def _can_be_used(models: ModelLifecycle, active: str) -> bool:
    try:
        models.model_store.check(active, None)
    except BrokenModel as refused:
        log.warning("the champion cannot be used: %s", refused)
        return False
    return True


def _of_tested(challenger: Challenger, outcomes: FinalOutcomes) -> FinalVerdicts:
    """Select labelled purchases of the test days; alerts are counted on all of each day's."""
    recent = challenger.recent
    rows = recent.rows_of(challenger.fitted.tested.labelled.transaction)
    return FinalVerdicts(
        score=outcomes.score[rows],
        is_score_decline=outcomes.is_score_decline[rows],
        alerts=recent.alerts_by_day(outcomes.is_alert),
    )


def _budget_a_day(challenger: Challenger, policy: Policy) -> float | None:
    fold, day = challenger.fitted.fold, challenger.recent.recorded.day
    is_tested = (day >= fold.test_first) & (day < fold.test_end)
    days = len(np.unique(day[is_tested]))
    return budget_a_day(policy, challenger.recent.inputs.part(is_tested), days)
