"""Run the detector: one Spark Structured Streaming query that scores transactions.

``python -m streaming.detector`` consumes ``transaction_topic``, folds each transaction through the
feature function, scores it by the policy, publishes to ``fraud_topic`` and ``feature_topic``, and
only then lets Spark commit.

The state is kept in this process and is a fold of the log alone. After a crash it is restored from
the newest snapshot and folded, without publishing, up to what Spark has committed; then Spark
replays the interrupted micro-batch with the same offsets, time and policy, so that its verdicts are
the same bytes. See :mod:`streaming.detector.restoring`.
"""

from __future__ import annotations

import gc
import logging
import time
from functools import partial
from pathlib import Path

import numpy as np
from prometheus_client import start_http_server

from fraudwatch.adapters.artefacts.policy_file import parse_rules
from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
from fraudwatch.adapters.artefacts.policy_seed import seed_policy
from fraudwatch.adapters.artefacts.reloadable_models import ReloadableModels
from fraudwatch.adapters.artefacts.reloadable_policy import ReloadablePolicy
from fraudwatch.adapters.artefacts.reloadable_views import ReloadableViews
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.log_fold import fold_messages, full_vector
from fraudwatch.adapters.codecs.periodic_snapshots import PeriodicSnapshots
from fraudwatch.adapters.codecs.state_snapshots import SnapshotFolder
from fraudwatch.adapters.codecs.verdict_frames import VerdictInputs, encode_verdicts
from fraudwatch.adapters.kafka_log.dead_letters import KafkaDeadLetters
from fraudwatch.adapters.kafka_log.verdict_log import KafkaVerdictLog
from fraudwatch.adapters.lake.checkpoint_version import claim_checkpoint
from fraudwatch.adapters.lake.spark_progress import Trigger, watch_triggers
from fraudwatch.adapters.lake.spark_stream import build_session, start_query
from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.models import forest
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.models.serving import ServingVersions
from fraudwatch.domain.policy.bounds import check_floors
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.views.published import NO_VIEWS
from fraudwatch.observability.logs import configure_logging
from fraudwatch.observability.metrics import gauge
from fraudwatch.policy_settings import PolicySettings
from fraudwatch.samples import a_transaction
from fraudwatch.settings import DetectorSettings, KafkaSettings, LabelSettings, ListenSettings
from fraudwatch.topics import TRANSACTION_TOPIC
from streaming.detector.artefact_times import export_artefact_times
from streaming.detector.refusal_quota import check_refusals, detector_quota, exit_while_paused
from streaming.detector.restoring import restore
from streaming.detector.scoring import Detector

log = logging.getLogger("detector")

_snapshot_at = gauge("fraudwatch_detector_snapshot_at_seconds")
_policy_usable = gauge("fraudwatch_detector_policy_usable")
_models_usable = gauge("fraudwatch_detector_models_usable")
_views_usable = gauge("fraudwatch_detector_views_usable")
_newest_view = gauge("fraudwatch_detector_newest_view_seconds")
_trigger_seconds = gauge("fraudwatch_detector_trigger_seconds")
_behind = gauge("fraudwatch_detector_behind_messages")


def warm_up(policy: Policy) -> None:
    """Compile and load everything that a batch needs, on a state that is discarded."""
    sample = fold_messages(CustomerState(), [encode(a_transaction())], np.full(1, 2**60))
    forest.warm_up()
    view_features, origin = sample.enrich_with_views(NO_VIEWS), np.zeros(1, dtype=np.int64)
    result = assess(sample.rule_input(full_vector(sample, view_features)), policy)
    decided = VerdictInputs(
        result, policy, ActiveModels(), Evidence(), {}, "", view_features.view, origin, origin, 0
    )
    encode_verdicts(sample.frame, decided)


def _live_policy(settings: PolicySettings, state_folder: Path) -> PolicyFolder:
    """Open the live policy of this home; the first start of all seeds it."""
    folder = PolicyFolder(settings.folder)
    now_ms = time.time_ns() // 1_000_000
    seed_policy(folder, settings.default_path.read_bytes(), state_folder, now_ms)
    return folder


def _record_trigger(trigger: Trigger) -> None:
    for phase, seconds in trigger.seconds.items():
        _trigger_seconds.labels(phase=phase).set(seconds)
    _behind.set(trigger.lag_messages)


def main() -> None:
    """Build the detector and run it until it is stopped or fails."""
    configure_logging("detector")
    settings, kafka, labels = DetectorSettings(), KafkaSettings(), LabelSettings()
    policy_settings = PolicySettings()
    quota = detector_quota(settings.state_folder, lambda: time.time_ns() // 1_000_000)
    exit_while_paused(quota)
    live = _live_policy(policy_settings, settings.state_folder)
    policies = ReloadablePolicy(
        live.policy_path,
        settings.state_folder / "policies",
        _policy_usable.set,
        check=lambda policy: check_floors(policy, models.in_use.calibration),
        accept=(lambda _: None) if policy_settings.hand_edits else live.refuse_unpromoted,
    )
    models = ReloadableModels(
        settings.models_folder,
        settings.state_folder / "models",
        ServingVersions(features_version(), labels.delay_days),
        _models_usable.set,
    )
    views = ReloadableViews(
        settings.views_folder,
        settings.state_folder / "views",
        labels.delay_ms,
        _views_usable.set,
        on_newest=_newest_view.set,
    )
    export_artefact_times(models, views, policies)
    snapshots = PeriodicSnapshots(
        SnapshotFolder(settings.state_folder / "snapshots"),
        features_version(),
        settings.snapshot_seconds,
        now_ms=lambda: time.time_ns() // 1_000_000,
        on_written=_snapshot_at.set,
    )
    detector = Detector(
        policy_of=lambda batch: policies.policy_for(batch.batch_id, is_rerun=batch.is_rerun),
        models_of=lambda batch: models.models_for(batch.batch_id, is_rerun=batch.is_rerun),
        views_of=lambda batch: views.views_for(batch.batch_id, is_rerun=batch.is_rerun),
        verdicts=KafkaVerdictLog(kafka),
        dead_letters=KafkaDeadLetters(kafka, settings.dead_letter_key_path),
        snapshots=snapshots,
        check_refusals=partial(check_refusals, quota),
    )
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    claim_checkpoint(settings)
    warm_up(parse_rules(policy_settings.default_path.read_bytes()))
    session = build_session(settings)
    starts = restore(detector, snapshots, settings, kafka)
    # An exception in a batch ends the query and with it this process: after folding began, the
    # state may hold events without a published verdict, and only a restore makes it correct again.
    query = start_query(session, settings, kafka, TRANSACTION_TOPIC, detector.score, starts)
    # Objects that exist by now live as long as the process; scanning them repeatedly costs p99.
    gc.collect()
    gc.freeze()
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    watch_triggers(query, _record_trigger)
    log.info("scoring, features version %s", features_version())
    query.awaitTermination()


if __name__ == "__main__":
    main()
