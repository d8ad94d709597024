"""Build the channels of ingest: purchases, those of sandbox keys, refunds and labels."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from fraudwatch.adapters.artefacts.rate_file import load_rates
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.keysets import PUBLIC_DEAD_LETTER_KEY
from fraudwatch.adapters.kafka_log.dead_letters import KafkaDeadLetters
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.application.intake import message_builders as letting_in
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.known_ids import KnownIds
from fraudwatch.application.intake.newest_events import NewestEvents
from fraudwatch.application.ports import Vault
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase, transaction_id_of
from fraudwatch.domain.messages.refund import ReportedRefund
from fraudwatch.log_settings import DiskSettings
from fraudwatch.settings import (
    IngestSettings,
    KafkaSettings,
)
from fraudwatch.topics import (
    LABELS_TOPIC,
    SANDBOX_TRANSACTION_TOPIC,
    TRANSACTION_TOPIC,
)
from streaming.ingest.channel import (
    LABEL_METRICS,
    PURCHASE_METRICS,
    REFUND_METRICS,
    SANDBOX_METRICS,
    IngestChannel,
)
from streaming.ingest.full_disk import DiskGuardedTopic
from streaming.ingest.watch_lists import followed_watch_lists

# A larger linger would add latency, a smaller one would send single messages under load.
_LINGER_MS: Final = 2
# Within the HTTP timeouts of clients; a batch that was not acknowledged is sent again.
_ACKNOWLEDGED_SECONDS: Final = 10.0


def now_ms() -> int:
    """Return the time as epoch ms."""
    return time.time_ns() // 1_000_000


class Channels(NamedTuple):
    """Channels of ingest, one for each kind of message."""

    purchases: IngestChannel[Purchase]
    sandbox: IngestChannel[Purchase]
    refunds: IngestChannel[ReportedRefund]
    labels: IngestChannel[ReportedLabel]


def _guarded(disk: DiskSettings, topic: KafkaTopic) -> DiskGuardedTopic:
    disk.path.mkdir(parents=True, exist_ok=True)
    return DiskGuardedTopic(topic, disk.limits(), lambda: shutil.disk_usage(disk.path).free)


def build_channels(
    settings: IngestSettings,
    kafka: KafkaSettings,
    vault: Vault,
    known: KnownIds,
    newest: NewestEvents,
) -> Channels:
    """Build the channels: what each admits, and where it is published."""
    topic = partial(KafkaTopic, kafka, linger_ms=_LINGER_MS, timeout_seconds=_ACKNOWLEDGED_SECONDS)
    disk = DiskSettings()
    dead_letters = KafkaDeadLetters(kafka, settings.keys_folder / PUBLIC_DEAD_LETTER_KEY)
    rates = load_rates(settings.rates_path, settings.default_rates_path)
    edge = Edge(vault, rates, followed_watch_lists())
    purchases = Intake(
        letting_in.purchase_builder(edge, encode),
        _guarded(disk, topic(TRANSACTION_TOPIC)),
        dead_letters,
        now_ms,
    )
    sandbox = Intake(
        letting_in.purchase_builder(replace(edge, is_sandbox=True), encode),
        _guarded(disk, topic(SANDBOX_TRANSACTION_TOPIC)),
        dead_letters,
        now_ms,
    )
    refunds = Intake(
        letting_in.refund_builder(edge, encode),
        _guarded(disk, topic(TRANSACTION_TOPIC)),
        dead_letters,
        now_ms,
    )
    labels = Intake(letting_in.label_builder(encode), topic(LABELS_TOPIC), dead_letters, now_ms)
    return Channels(
        IngestChannel(
            purchases,
            PURCHASE_METRICS,
            known=known,
            id_of=lambda one: transaction_id_of(one.source, one.id),
            on_accepted=newest.add,
        ),
        IngestChannel(sandbox, SANDBOX_METRICS),
        IngestChannel(refunds, REFUND_METRICS),
        IngestChannel(labels, LABEL_METRICS),
    )
