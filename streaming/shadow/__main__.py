"""Run the shadow: compare a candidate policy or model with the live one, off the hot path.

``python -m streaming.shadow`` follows the candidate's folder. With a candidate it reads the live
verdicts, their transactions and their served vectors, scores each purchase by the same functions as
the detector, and counts by pair of outcomes; :mod:`fraudwatch.domain.shadow` explains why each
purchase is counted once. Without one it is idle. It folds nothing and publishes nothing, except
for purchases of sandbox keys, in a thread of their own: :mod:`streaming.shadow.sandbox`. Another
thread guards the canary: :mod:`streaming.shadow.canary`.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from functools import partial

from prometheus_client import start_http_server

from fraudwatch.adapters.artefacts.canary_file import canary_file
from fraudwatch.adapters.artefacts.canary_pointer import CanaryPointerFolder
from fraudwatch.adapters.artefacts.candidate import Candidate
from fraudwatch.adapters.artefacts.named_artefacts import NamedArtefacts
from fraudwatch.adapters.artefacts.newest_artefacts import NewestArtefacts
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.consumer_group import open_with_retry
from fraudwatch.adapters.kafka_log.cursor import PartitionCursor
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.adapters.kafka_log.topic_logs import topic_log_of
from fraudwatch.adapters.store.session import connect
from fraudwatch.adapters.store.shadow import CassandraShadowStore
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.shadow.comparing import Comparing, ShadowStore
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.serving import ServingVersions
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import CassandraSettings, KafkaSettings, LabelSettings, ListenSettings
from fraudwatch.topics import (
    AUDIT_TOPIC,
    FEATURE_TOPIC,
    FRAUD_TOPIC,
    SANDBOX_FRAUD_TOPIC,
    SANDBOX_TRANSACTION_TOPIC,
    TRANSACTION_PARTITIONS,
    TRANSACTION_TOPIC,
)
from streaming.shadow.canary import CanaryGuard
from streaming.shadow.loop import CandidateWatch, ShadowLoop
from streaming.shadow.partition import PartitionShadow, PartitionTopics
from streaming.shadow.sandbox import SandboxLoop
from streaming.shadow.scoring import ShadowScoring
from streaming.shadow.settings import ShadowSettings
from streaming.shadow.topics import check_comparison, check_trial

log = logging.getLogger("shadow")
# A caller of a sandbox purchase waits no longer.
_PUBLISH_SECONDS = 5.0


def main() -> None:
    """Build the shadow and run it until stopped."""
    configure_logging("shadow")
    settings, cassandra = ShadowSettings(), CassandraSettings()
    # A probe waits for this port, and opening the store may take longer than its timeout.
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    store = open_with_retry(lambda: CassandraShadowStore(connect(cassandra)))
    serving = ServingVersions(features_version(), LabelSettings().delay_days)
    loop = ShadowLoop(
        CandidateWatch(settings.candidate_folder, serving),
        store,
        partial(open_partitions, settings, KafkaSettings(), store),
        time.time,
    )
    threading.excepthook = _end_process
    sandbox = threading.Thread(
        target=open_sandbox(settings, KafkaSettings(), serving).run,
        args=(loop.stopping,),
        name="sandbox",
        daemon=True,
    )
    sandbox.start()
    canary = threading.Thread(
        target=open_canary_guard(settings, KafkaSettings()).run,
        args=(loop.stopping,),
        name="canary",
        daemon=True,
    )
    canary.start()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.stopping.set())
    loop.run()
    sandbox.join(_PUBLISH_SECONDS)
    canary.join(_PUBLISH_SECONDS)


def _end_process(failed: threading.ExceptHookArgs) -> None:
    """End the process: one whose sandbox has failed would look healthy."""
    log.error("thread %s failed", failed.thread, exc_info=failed.exc_value)
    logging.shutdown()
    os._exit(1)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def open_sandbox(
    settings: ShadowSettings, kafka: KafkaSettings, serving: ServingVersions
) -> SandboxLoop:
    """Open the sandbox at the present end of its topic."""
    return SandboxLoop(
        [
            PartitionCursor(kafka, SANDBOX_TRANSACTION_TOPIC, partition)
            for partition in range(TRANSACTION_PARTITIONS)
        ],
        NewestArtefacts(
            settings.policies_folder, settings.lists_folder, settings.models_folder, serving
        ),
        KafkaTopic(kafka, SANDBOX_FRAUD_TOPIC, timeout_seconds=_PUBLISH_SECONDS),
        _now_ms,
    )


def open_canary_guard(settings: ShadowSettings, kafka: KafkaSettings) -> CanaryGuard:
    """Open the guard of the canary; it connects when there is one."""
    return CanaryGuard(
        CanaryPointerFolder(settings.pointer_folder),
        canary_file(settings.canary_path),
        {
            partition: PartitionCursor(kafka, FRAUD_TOPIC, partition)
            for partition in range(TRANSACTION_PARTITIONS)
        },
        PublishedAudit(KafkaTopic(kafka, AUDIT_TOPIC, timeout_seconds=_PUBLISH_SECONDS), encode),
        _now_ms,
        max_messages=settings.max_messages,
        check_topics=lambda trial: check_trial(
            trial, partial(topic_log_of, kafka), settings.canary_path
        ),
    )


def open_partitions(
    settings: ShadowSettings, kafka: KafkaSettings, store: ShadowStore, candidate: Candidate
) -> list[PartitionShadow]:
    """Open every partition where the counts of the candidate's comparison end.

    Raises:
        TopicChanged: they are not counts of these topics.
    """
    live = NamedArtefacts(settings.policies_folder, settings.lists_folder, settings.models_folder)
    scoring, comparison = ShadowScoring(candidate, live), candidate.comparison
    partitions = range(TRANSACTION_PARTITIONS)
    # First, so that no connection is left open when the store is unavailable.
    counted = [store.load(comparison.comparison_id, partition) for partition in partitions]
    topics = check_comparison(counted, partial(topic_log_of, kafka))
    for part in counted:
        part.topics = topics
    return [
        PartitionShadow(
            PartitionTopics(
                PartitionCursor(kafka, FRAUD_TOPIC, partition),
                PartitionCursor(kafka, FEATURE_TOPIC, partition),
                PartitionCursor(kafka, TRANSACTION_TOPIC, partition),
            ),
            scoring,
            Comparing(store, counted[partition]),
            from_at_ms=comparison.from_at_ms,
            max_messages=settings.max_messages,
            give_up_seconds=settings.give_up_seconds,
        )
        for partition in partitions
    ]


if __name__ == "__main__":
    main()
