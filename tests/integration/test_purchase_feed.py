"""A feed's purchases and refunds keep their order on a real broker, though two producers send."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.shop_feed import PURCHASES, ShopFeed
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.kafka_log.log import KafkaTopic, read_range
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import purchase_builder, refund_builder
from fraudwatch.domain.messages.refund import Refund, is_refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import a_purchase, a_reported_refund
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import TRANSACTION_TOPIC
from streaming.ingest.channel import PURCHASE_METRICS, REFUND_METRICS, IngestChannel
from streaming.ingest.feed import FeedFollower
from streaming.ingest.purchase_feed import PurchaseFeedChannel

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]


def name_of(value: bytes) -> str:
    if is_refund(value):
        return decode(Refund, value).refund_id
    return decode(Transaction, value).transaction_id


def test_a_refund_is_behind_its_purchase_and_before_its_customers_next(
    kafka_stack: PrivateStack, tmp_path: Path
) -> None:
    kafka, now_ms = kafka_stack.kafka("ingest"), time.time_ns() // 1_000_000
    edge, dead_letters = Edge(TinkVault(tmp_path), RateTable([])), MemoryDeadLetters()
    purchases = Intake(
        purchase_builder(edge, encode),
        KafkaTopic(kafka, TRANSACTION_TOPIC),
        dead_letters,
        lambda: now_ms,
    )
    refunds = Intake(
        refund_builder(edge, encode),
        KafkaTopic(kafka, TRANSACTION_TOPIC),
        dead_letters,
        lambda: now_ms,
    )
    page = [
        message
        for n in range(20)
        for message in (
            a_purchase(id=f"p{n}", event_at_ms=now_ms),
            a_reported_refund(
                id=f"r{n}", purchase_id=f"p{n}", purchased_at_ms=now_ms, refunded_at_ms=now_ms
            ),
        )
    ]
    answer = httpx.Response(200, content=encode({"events": page, "next_cursor": "1"}))
    follower = FeedFollower(
        ShopFeed(PURCHASES, "http://shop", "key", transport=httpx.MockTransport(lambda _: answer)),
        PurchaseFeedChannel(
            IngestChannel(purchases, PURCHASE_METRICS), IngestChannel(refunds, REFUND_METRICS)
        ),
        tmp_path / "cursor.json",
    )
    reader = kafka_stack.kafka("admin")
    before = ends_of(reader, TRANSACTION_TOPIC)
    assert follower.read_page() == 0
    assert dead_letters.records == {}
    # Of one customer, so on one partition.
    batches = read_range(
        reader, TRANSACTION_TOPIC, ends_of(reader, TRANSACTION_TOPIC), starts=before
    )
    found = [name_of(one.value() or b"") for batch in batches for one in batch]
    assert found == [f"shop:{kind}{n}" for n in range(20) for kind in ("p", "r")]
