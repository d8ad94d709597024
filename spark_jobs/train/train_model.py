"""Trains the model that the stream uses, and lets it in only if it is better.

Features by the same fold over the archived log, risk views by the one rule, labels as known on the
day. XGBoost learns and is tested fold by fold beside its rivals; the last fold's model is held
against what was served on its test days. If it is better it is registered, named champion and taken
up by the detector with its next batch; any failure before that leaves everything as it was.

Ends with 0 when there is an answer (promoted, waits for approval, not better, not wanted), with 3
when there is too little to learn from, with 1 when it failed.

Example: spark-submit spark_jobs/train/train_model.py --until 2026-11-20 --json
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from pyspark.sql import SparkSession

from fraudwatch.adapters.artefacts.mlflow_registry import MlflowRegistry
from fraudwatch.adapters.artefacts.model_folder import ModelFolder
from fraudwatch.adapters.artefacts.model_pruning import prune_fitted
from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.outcomes import append_outcomes, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.application.promotion.promote import (
    ChampionChanged,
    ModelLifecycle,
    RegistryUnavailable,
    sync_registry_alias,
)
from fraudwatch.batch_settings import ChallengerSettings, RegistrySettings
from fraudwatch.domain.models.fitted import BrokenModel
from fraudwatch.domain.training.folds import FoldPlan, folds_of
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.train.dataset import Dataset, NotEnough, Tell, dataset_of, days_of
from spark_jobs.train.evaluating import Learned, learn
from spark_jobs.train.point_in_time_views import told_as_of
from spark_jobs.train.promotion import Outcome, judged_by_the_gate, settle
from spark_jobs.train.report import Report, counted_of, details_of, say
from spark_jobs.train.run_record import days_told, record_of
from spark_jobs.train.trigger_policy import Reason, not_wanted, state_of

JOB = "train_model"
NOT_ENOUGH = 3

log = logging.getLogger(JOB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run was asked for."""

    first: date | None = None
    last: date | None = None
    reason: Reason = Reason.PERSON
    approval: bool | None = None  # None: as the settings say
    rivals: bool = True


@dataclass(frozen=True, slots=True)
class Training:
    """The job, wired."""

    spark: SparkSession
    models: ModelLifecycle
    settings: ChallengerSettings
    tell: Tell = told_as_of

    def run(self, asked: Asked) -> Report:
        """Train if it is wanted; the report says what came of it.

        Raises:
            BrokenModel: what was written cannot be used; what is in use stays.
            ChampionChanged: somebody promoted another model meanwhile.
            LakeBusy: others kept writing the features; nothing was changed.
        """
        if mended := sync_registry_alias(self.models):
            log.warning("%s", mended)
        champion = self.models.champion()
        state = state_of(self.spark, JOB, champion.promoted_at_ms if champion else None)
        why_not = not_wanted(
            asked.reason, state, now_ms=self.models.now_ms(), new_frauds=self.settings.new_frauds
        )
        if why_not:
            return Report(outcome=Outcome.NOT_WANTED, because=why_not)
        try:
            return self._trained(asked)
        except NotEnough as error:
            return Report(outcome=Outcome.NOT_ENOUGH, because=str(error))

    def _trained(self, asked: Asked) -> Report:
        settings = self.settings
        plan = plan_of(settings)
        days = days_of(self.spark, (asked.first, asked.last), plan, self.models.now_ms())
        data = dataset_of(self.spark, days, self.tell)
        folds = self._folds(data, plan, rivals=asked.rivals)
        last = folds[-1]
        decision = judged_by_the_gate(self.models, last, settings)
        settled = settle(
            self.models,
            last,
            decision,
            record=lambda sha256, ruled: record_of(
                sha256, ruled, data=data, folds=folds, settings=settings
            ),
            approval=settings.approval if asked.approval is None else asked.approval,
        )
        prune_fitted(self.models.model_store.folder)
        return Report(
            outcome=settled.outcome,
            because=settled.because,
            version=settled.version,
            sha256=settled.sha256,
            counted=counted_of(data, last),
            details=details_of(folds, settings) | {"gate": asdict(decision)},
        )

    def _folds(self, data: Dataset, plan: FoldPlan, *, rivals: bool) -> list[Learned]:
        """Every fold that has enough to tell; the newest has to.

        Raises:
            NotEnough: there are too few days, or the newest fold has too few frauds.
        """
        folds = folds_of(data.first, data.today, plan)
        if not folds:
            raise NotEnough(
                f"the lake holds {data.today - data.first} days and the last {plan.delay_days} are "
                "too young to be labelled, so there are not two days to train and test on; nothing "
                "was changed: run this again in some days"
            )
        learned: list[Learned] = []
        # The newest first: without it nothing comes of the others.
        for number, fold in enumerate(reversed(folds), start=1):
            log.info("fold %d of %d: %s", number, len(folds), days_told(fold))
            try:
                learned.append(learn(data, fold, self.settings, rivals=rivals))
            except NotEnough as error:
                if not learned:
                    raise
                log.warning("this fold is left out: %s", error)
        return learned[::-1]


def plan_of(settings: ChallengerSettings) -> FoldPlan:
    """How long everything is."""
    return FoldPlan(
        delay_days=settings.label_delay_days,
        train_days=settings.train_days,
        test_days=settings.test_days,
        folds=settings.folds,
    )


def models_of(settings: ChallengerSettings, registry: RegistrySettings) -> ModelLifecycle:
    """The registry and the stream's folder."""
    return ModelLifecycle(
        MlflowRegistry(registry.tracking_uri, registry.artifacts_folder),
        ModelFolder(settings.models_folder),
        lambda: time.time_ns() // 1_000_000,
    )


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog=JOB, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option, name in (("--from", "first"), ("--until", "last")):
        parser.add_argument(
            option, dest=name, type=date.fromisoformat, metavar="YYYY-MM-DD",
            help=f"{name} day of purchases, UTC; left out: as far as the log and the folds reach",
        )  # fmt: skip
    parser.add_argument("--reason", type=Reason, choices=list(Reason), default=Reason.PERSON)
    parser.add_argument(
        "--approval", choices=("yes", "no"), help="yes: a person has the last word; else as set"
    )
    parser.add_argument(
        "--if-possible", action="store_true", help="too little to learn from is no failure"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser.parse_args(arguments)


def main() -> int:
    """Wire the job, run it once and say what came of it."""
    given, began_at_ms = parsed(), time.time_ns() // 1_000_000
    configure_logging(JOB)
    settings = ChallengerSettings()
    spark = open_lake(LakeSettings(), JOB)
    asked = Asked(
        first=given.first,
        last=given.last,
        reason=given.reason,
        approval=None if given.approval is None else given.approval == "yes",
    )
    try:
        training = Training(spark, models_of(settings, RegistrySettings()), settings)
        report = training.run(asked)
        append_outcomes(spark, [outcome_of(JOB, report.counted, began_at_ms=began_at_ms)])
    except (BrokenModel, ChampionChanged, LakeBusy, RegistryUnavailable) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence says it
        return 1
    say(report, time.time() - began_at_ms / 1000, as_json=given.json)
    if report.outcome is not Outcome.NOT_ENOUGH or given.if_possible:
        return 0
    log.error("%s", report.because)
    return NOT_ENOUGH


if __name__ == "__main__":
    sys.exit(main())
