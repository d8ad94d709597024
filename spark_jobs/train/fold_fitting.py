"""Fit all folds that a history has, the newest first: without it the others are useless."""

from __future__ import annotations

import logging

from fraudwatch.batch_settings import ChallengerSettings
from fraudwatch.domain.training.folds import FoldPlan, folds_of
from spark_jobs.train.dataset import Dataset, NotEnoughData, labelled_days, stray_days_sentence
from spark_jobs.train.evaluating import FittedFold, fit_fold
from spark_jobs.train.run_record import fold_days

log = logging.getLogger("train_model")


def fit_folds(
    data: Dataset, plan: FoldPlan, settings: ChallengerSettings, *, baselines: bool
) -> list[FittedFold]:
    """Fit every fold that has enough data, oldest first; the newest one is required.

    Raises:
        NotEnoughData: there are too few days, or the newest fold has too few frauds.
    """
    labelled = labelled_days(data, settings.fewest_frauds)
    folds = folds_of(data.first, data.today, plan, labelled)
    if not folds:
        raise NotEnoughData(
            f"the lake holds {data.today - data.first} days of history and the last "
            f"{plan.delay_days} are too young to be labelled, so there are not two days to "
            "train and test on; nothing was changed: run this again in some days"
            + (f". {strays}" if (strays := stray_days_sentence(data.stray_days)) else "")
        )
    fitted: list[FittedFold] = []
    # The newest first: without it the others are useless.
    for number, fold in enumerate(reversed(folds), start=1):
        log.info("fold %d of %d: %s", number, len(folds), fold_days(fold))
        try:
            fitted.append(fit_fold(data, fold, settings, baselines=baselines))
        except NotEnoughData as error:
            if not fitted:
                raise
            log.warning("this fold is skipped: %s", error)
    return fitted[::-1]
