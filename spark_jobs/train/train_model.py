"""Train a challenger model for the stream, and promote it only if it passes the gate.

Features come from the same fold over the archived log; risk views and labels are joined point in
time. XGBoost is fitted and tested fold by fold beside its baselines; the last fold's model is
compared with the scores served on its test days. If it is better it is registered, named champion
and hot-reloaded by the detector with its next micro-batch; a failure before that changes nothing.

Exit code 0: decided (promoted, waits for approval, not better, not wanted); 3: too little data to
train on; 1: failed.

Example: spark-submit spark_jobs/train/train_model.py --until 2026-11-20 --json
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from pyspark.sql import SparkSession

from fraudwatch.adapters.artefacts.mlflow_registry import MlflowRegistry
from fraudwatch.adapters.artefacts.model_folder import ModelFolder
from fraudwatch.adapters.artefacts.model_pruning import prune_fitted
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.adapters.artefacts.registry_summary_file import publish_summary
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
from fraudwatch.domain.policy.list_document import PolicyLists, with_lists
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from fraudwatch.domain.training.folds import FoldPlan
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LabelSettings, LakeSettings
from spark_jobs.train.calibrating import active_forest, calibrate
from spark_jobs.train.dataset import (
    Dataset,
    NotEnoughData,
    ViewLookup,
    dataset_of,
    stray_days_sentence,
    training_history,
)
from spark_jobs.train.evaluating import FittedFold
from spark_jobs.train.fold_fitting import fit_folds
from spark_jobs.train.judging import apply_gate
from spark_jobs.train.point_in_time_views import point_in_time_views
from spark_jobs.train.promotion import Challenger, TrainingOutcome, promote_or_reject
from spark_jobs.train.recent_days import recent_days
from spark_jobs.train.report import TrainingReport, counted_of, details_of, print_report
from spark_jobs.train.run_record import TrainingRun, training_record
from spark_jobs.train.trigger_policy import TrainingReason, reason_to_skip, training_state

JOB = "train_model"
NOT_ENOUGH = 3

log = logging.getLogger(JOB)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """Options of a training run."""

    first: date | None = None
    last: date | None = None
    reason: TrainingReason = TrainingReason.PERSON
    approval: bool | None = None  # None: as the settings say
    baselines: bool = True


@dataclass(frozen=True, slots=True)
class Training:
    """Training job with its engines and settings."""

    spark: SparkSession
    models: ModelLifecycle
    settings: ChallengerSettings
    label_delay_days: int
    lookup_views: ViewLookup = point_in_time_views

    def run(self, request: TrainingRequest) -> TrainingReport:
        """Train if the trigger policy asks for it; return the report.

        Raises:
            BrokenModel: the new artefact cannot be used; the active model stays.
            BrokenPolicy: the live policy cannot be read; nothing was changed.
            ChampionChanged: another model was promoted meanwhile.
            LakeBusy: concurrent writers of the features kept winning; nothing was changed.
        """
        if corrected := sync_registry_alias(self.models):
            log.warning("%s", corrected)
        champion = self.models.champion()
        state = training_state(self.spark, JOB, champion, self.label_delay_days)
        why_not = reason_to_skip(
            request.reason, state, now_ms=self.models.now_ms(), new_frauds=self.settings.new_frauds
        )
        if why_not:
            return TrainingReport(outcome=TrainingOutcome.NOT_WANTED, because=why_not)
        try:
            return self._trained(request)
        except NotEnoughData as error:
            return TrainingReport(outcome=TrainingOutcome.NOT_ENOUGH, because=str(error))

    def _trained(self, request: TrainingRequest) -> TrainingReport:
        settings = self.settings
        policy = with_lists(load_policy(settings.policy_path), PolicyLists())
        plan = plan_of(settings, self.label_delay_days)
        requested = (request.first, request.last)
        history = training_history(self.spark, requested, plan, self.models.now_ms())
        data = dataset_of(self.spark, history, self.label_delay_days, self.lookup_views)
        folds = fit_folds(data, plan, settings, baselines=request.baselines)
        run = self._measured(data, folds, policy)
        decision = apply_gate(self.models, run.challenger, run.policy, settings)
        settled = promote_or_reject(
            self.models,
            run.challenger,
            decision,
            record=partial(training_record, run),
            approval=settings.approval if request.approval is None else request.approval,
        )
        prune_fitted(self.models.model_store.folder)
        return TrainingReport(
            outcome=settled.outcome,
            because=settled.because,
            version=settled.version,
            sha256=settled.sha256,
            counted=counted_of(data, folds[-1]),
            strays=stray_days_sentence(data.stray_days),
            details=details_of(run, decision),
        )

    def _measured(self, data: Dataset, folds: Sequence[FittedFold], policy: Policy) -> TrainingRun:
        """Calibrate the newest fold's model, and score the days since its training."""
        forest = active_forest(self.models.model_store.folder)
        challenger = Challenger(
            fitted=folds[-1],
            calibration=calibrate(data, folds, self.settings, forest),
            recent=recent_days(data, folds[-1]),
        )
        return TrainingRun(
            data=data,
            folds=folds,
            challenger=challenger,
            policy=policy,
            settings=self.settings,
        )


def plan_of(settings: ChallengerSettings, label_delay_days: int) -> FoldPlan:
    """Build the fold plan from the settings."""
    return FoldPlan(
        delay_days=label_delay_days,
        train_days=settings.train_days,
        test_days=settings.test_days,
        folds=settings.folds,
    )


def models_of(
    settings: ChallengerSettings, registry: RegistrySettings, label_delay_days: int
) -> ModelLifecycle:
    """Connect the model registry and the stream's model folder."""
    return ModelLifecycle(
        MlflowRegistry(registry.tracking_uri, registry.artifacts_folder),
        ModelFolder(settings.models_folder, label_delay_days),
        lambda: time.time_ns() // 1_000_000,
    )


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog=JOB, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option, name in (("--from", "first"), ("--until", "last")):
        parser.add_argument(
            option, dest=name, type=date.fromisoformat, metavar="YYYY-MM-DD",
            help=f"{name} day of purchases, UTC; default: as far as the log and the folds reach",
        )  # fmt: skip
    parser.add_argument(
        "--reason", type=TrainingReason, choices=list(TrainingReason), default=TrainingReason.PERSON
    )
    parser.add_argument(
        "--approval", choices=("yes", "no"), help="yes: promote only by hand; default: settings"
    )
    parser.add_argument(
        "--if-possible", action="store_true", help="too little data to train on is no failure"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser.parse_args(arguments)


def main() -> int:
    """Run the training once, print its report and return the exit code."""
    given, began_at_ms = parse_arguments(), time.time_ns() // 1_000_000
    configure_logging(JOB)
    settings, label_delay_days = ChallengerSettings(), LabelSettings().delay_days
    spark = open_lake(LakeSettings(), JOB)
    request = TrainingRequest(
        first=given.first,
        last=given.last,
        reason=given.reason,
        approval=None if given.approval is None else given.approval == "yes",
    )
    try:
        models = models_of(settings, RegistrySettings(), label_delay_days)
        report = Training(spark, models, settings, label_delay_days).run(request)
        append_outcomes(spark, [outcome_of(JOB, report.counted, began_at_ms=began_at_ms)])
        publish_summary(models)
    except (BrokenModel, BrokenPolicy, ChampionChanged, LakeBusy, RegistryUnavailable) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough
        return 1
    print_report(report, time.time() - began_at_ms / 1000, as_json=given.json)
    if report.outcome is not TrainingOutcome.NOT_ENOUGH or given.if_possible:
        return 0
    log.error("%s", report.because)
    return NOT_ENOUGH


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
