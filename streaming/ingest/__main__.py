"""Run ingest: admit purchases, refunds and labels from feeds and API, tokenise, publish them.

``python -m streaming.ingest`` follows the shop's feeds by cursors that advance only after
everything before them is acknowledged, and serves ``POST /v1/transactions``, ``/v1/refunds`` and
``/v1/labels`` to all sources, ``/v1/reveal`` to the console alone, ``/v1/tokens`` to the REST API
alone and ``/v1/notify`` to the notifier alone.
"""

from __future__ import annotations

import logging
import os
import threading
from functools import partial

import uvicorn

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.artefacts.source_file import load_source_contracts
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.keysets import create_dead_letter_keys
from fraudwatch.adapters.edge.shop_feed import CHARGEBACKS, PURCHASES, ShopFeed
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.adapters.kafka_log.scored_ids import KafkaScoredLog
from fraudwatch.adapters.kafka_log.verdicts import KafkaVerdicts
from fraudwatch.adapters.newest_events_file import NewestEventsFile
from fraudwatch.adapters.notifications.http_addresses import checked_url
from fraudwatch.adapters.notifications.mail import CustomerMail
from fraudwatch.adapters.notifications.sms_gateway import SmsGateway
from fraudwatch.adapters.store.session import connect
from fraudwatch.adapters.store.verdict_lookup import LOOKUP_SECONDS, CassandraVerdictLookup
from fraudwatch.application.console.audit import AuditLog, PublishedAudit
from fraudwatch.application.console.reveal import Reveals
from fraudwatch.application.dead_letters.quota import DeadLetterQuota
from fraudwatch.application.intake.newest_events import NewestEvents
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.application.notifying.customer_notices import CustomerNotices
from fraudwatch.application.ports import Vault
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.observability.logs import configure_logging
from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.settings import (
    ApiKeySettings,
    CassandraSettings,
    IngestSettings,
    KafkaSettings,
    ListenSettings,
)
from fraudwatch.topics import (
    AUDIT_TOPIC,
    CONTROL_TOPIC,
    SANDBOX_FRAUD_TOPIC,
)
from streaming.ingest.api import IngestServices, create_app
from streaming.ingest.build_channels import build_channels, now_ms
from streaming.ingest.channel import (
    IngestChannel,
)
from streaming.ingest.days import announce, day_announcer
from streaming.ingest.feed import FeedFollower
from streaming.ingest.feed_settings import FeedSettings, MappedFeedSettings
from streaming.ingest.first_start import exit_if_keys_are_lost
from streaming.ingest.id_filter import kept_ids
from streaming.ingest.mapped_feeds import MappedFeeds, add_feeds, follow_mapped_feeds
from streaming.ingest.notify import NoticeChannel, add_notify, read_templates
from streaming.ingest.notify_settings import NotifySettings
from streaming.ingest.purchase_feed import PurchaseFeedChannel
from streaming.ingest.quota import ingest_quota
from streaming.ingest.refunds import add_refunds
from streaming.ingest.reveal import RevealChannel, add_reveal
from streaming.ingest.sync_scoring import VerdictWaiter
from streaming.ingest.tokens import TokenChannel, TokensSettings, add_tokens

log = logging.getLogger("ingest")

# An analyst waits for it; the console's timeout is a little longer.
_AUDIT_SECONDS = 5.0
# The feed waits for it, and the announcement can be repeated.
_ANNOUNCE_SECONDS = 3.0


def _end_process(failed: threading.ExceptHookArgs) -> None:
    """End the process: an API that runs after its feed failed would look healthy."""
    log.error("thread %s failed", failed.thread, exc_info=failed.exc_value)
    logging.shutdown()
    os._exit(1)


def _reveal_channel(settings: IngestSettings, audit: AuditLog, vault: Vault) -> RevealChannel:
    reveals = Reveals(vault, audit, now_ms)
    return RevealChannel(reveals, settings.reveal_api_key.get_secret_value())


def _notice_channel(
    ingest: IngestSettings, settings: NotifySettings, audit: AuditLog, vault: Vault
) -> NoticeChannel:
    settings.check_key_differs_from(ingest.reveal_api_key)
    url = checked_url(settings.sms_url, "NOTIFY_SMS_URL")
    notices = CustomerNotices(
        vault,
        audit,
        read_templates(settings.templates_folder, settings.language),
        CustomerMail(MailSettings(), sender=settings.mail_from),
        SmsGateway(url, settings.sms_api_key.get_secret_value()) if url else None,
        now_ms,
    )
    return NoticeChannel(notices, settings.api_key.get_secret_value())


def _follow(
    settings: IngestSettings,
    kafka: KafkaSettings,
    purchases: PurchaseFeedChannel,
    labels: IngestChannel[ReportedLabel],
    quota: DeadLetterQuota,
) -> None:
    if not (settings.feed_url and settings.feed_api_key):
        return
    url, key = settings.feed_url, settings.feed_api_key.get_secret_value()
    folder, chargebacks = settings.state_folder, ShopFeed(CHARGEBACKS, url, key)
    sources = FeedSettings().sources
    if not sources:
        log.warning("the feeds may report purchases of any source: set INGEST_FEED_SOURCES")
    topic = KafkaTopic(kafka, CONTROL_TOPIC, timeout_seconds=_ANNOUNCE_SECONDS)
    announcer = day_announcer(topic, folder / "days.json", now_ms)
    FeedFollower(
        ShopFeed(PURCHASES, url, key),
        purchases,
        folder / "cursor.json",
        sources=sources,
        on_acknowledged=partial(announce, announcer),
        quota=quota,
    ).start()
    FeedFollower(
        chargebacks,
        labels,
        folder / "chargebacks_cursor.json",
        sources=sources,
        is_optional=True,
        quota=quota,
    ).start()


def _follow_others(
    settings: IngestSettings, purchases: IngestChannel[Purchase], quota: DeadLetterQuota
) -> MappedFeeds:
    feeds = MappedFeedSettings()
    return follow_mapped_feeds(
        feeds.feeds_folder, feeds.mappings_folder, settings, purchases, quota
    )


def main() -> None:
    """Build ingest and serve until stopped."""
    configure_logging("ingest")
    threading.excepthook = _end_process
    settings, kafka = IngestSettings(), KafkaSettings()
    settings.keys_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    exit_if_keys_are_lost(settings, kafka)
    create_dead_letter_keys(settings.keys_folder)
    vault = TinkVault(settings.keys_folder)
    contracts = load_source_contracts(settings.sources_folder)
    cassandra = CassandraSettings()
    lookup = CassandraVerdictLookup(
        lambda: connect(cassandra, request_timeout_seconds=LOOKUP_SECONDS)
    )
    lookup.start()
    newest_file = NewestEventsFile(settings.state_folder)
    newest = NewestEvents(newest_file.read())
    known, keeper = kept_ids(
        settings.state_folder,
        lookup,
        KafkaScoredLog(kafka),
        now_ms,
        save_also=lambda: newest_file.write(newest.by_source()),
    )
    keeper.start()
    channels = build_channels(settings, kafka, vault, known, newest)
    keeper.wait_for_first_step()
    quota = ingest_quota(settings.state_folder, now_ms)
    purchases_and_refunds = PurchaseFeedChannel(channels.purchases, channels.refunds)
    _follow(settings, kafka, purchases_and_refunds, channels.labels, quota)
    feeds = _follow_others(settings, channels.purchases, quota)
    pending, in_sandbox = PendingVerdictRegistry(), PendingVerdictRegistry()
    services = IngestServices(
        channels.purchases,
        channels.labels,
        VerdictWaiter(pending, KafkaVerdicts(kafka, pending), lookup),
        contracts,
        channels.sandbox,
        VerdictWaiter(
            in_sandbox, KafkaVerdicts(kafka, in_sandbox, topic=SANDBOX_FRAUD_TOPIC), None
        ),
    )
    app = create_app(services, KeyCheck(ApiKeyFile(ApiKeySettings().path)), quota)
    add_refunds(app, channels.refunds)
    add_feeds(app, feeds)
    audit = PublishedAudit(KafkaTopic(kafka, AUDIT_TOPIC, timeout_seconds=_AUDIT_SECONDS), encode)
    add_reveal(app, _reveal_channel(settings, audit, vault))
    add_notify(app, _notice_channel(settings, NotifySettings(), audit, vault))
    add_tokens(app, TokenChannel(vault, TokensSettings().api_key.get_secret_value()))
    uvicorn.run(app, host=ListenSettings().address, port=settings.port, log_level="warning")


if __name__ == "__main__":
    main()
