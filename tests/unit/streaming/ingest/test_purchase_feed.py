"""A feed of purchases brings their refunds too, each in its customer's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.shop_feed import PURCHASES, ShopFeed
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryTopic
from fraudwatch.adapters.quota_folder import FOLDER, QuotaFolder
from fraudwatch.application.dead_letters.quota import DeadLetterQuota
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import purchase_builder, refund_builder
from fraudwatch.domain.dead_letter_quota import QuotaLimits
from fraudwatch.domain.messages.dead_letter import Code
from fraudwatch.domain.messages.refund import Refund, is_refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import RateTable
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import NOON_MS, a_purchase, a_reported_refund
from streaming.ingest.channel import PURCHASE_METRICS, REFUND_METRICS, IngestChannel
from streaming.ingest.feed import PAUSED_SECONDS, RETRY_SECONDS, FeedFollower
from streaming.ingest.purchase_feed import PurchaseFeedChannel

NOW_MS = NOON_MS + 2 * DAY_MS


class FollowedShop:
    """A follower of a shop's feed, whose purchases and refunds go to one log."""

    def __init__(self, folder: Path) -> None:
        self.pages: list[dict[str, Any]] = []
        self.topic, self.records = MemoryTopic(), MemoryDeadLetters()
        self.cursor_file = folder / "cursor.json"
        self.states = QuotaFolder(folder / FOLDER)
        edge = Edge(TinkVault(folder), RateTable([]))
        self.purchases = IngestChannel(
            Intake(purchase_builder(edge, encode), self.topic, self.records, lambda: NOW_MS),
            PURCHASE_METRICS,
        )
        self.refunds = IngestChannel(
            Intake(refund_builder(edge, encode), self.topic, self.records, lambda: NOW_MS),
            REFUND_METRICS,
        )
        answer = httpx.MockTransport(lambda _: httpx.Response(200, content=encode(self.page())))
        limits = QuotaLimits(per_minute=1, share_ratio=0.5)
        self.follower = FeedFollower(
            ShopFeed(PURCHASES, "http://shop", "key", transport=answer),
            PurchaseFeedChannel(self.purchases, self.refunds),
            self.cursor_file,
            sources=frozenset({"shop"}),
            quota=DeadLetterQuota(limits, self.states, lambda: NOW_MS),
        )

    def page(self) -> dict[str, Any]:
        return self.pages.pop(0)

    def read(self, *messages: Any) -> float:
        count = len(messages)
        self.pages.append(
            {"events": messages, "next_cursor": "c", "sequence": count, "head_sequence": count}
        )
        return self.follower.read_page()

    @property
    def logged(self) -> list[str]:
        return [
            decode(Refund, value).refund_id
            if is_refund(value)
            else decode(Transaction, value).transaction_id
            for _, value, _ in self.topic.messages
        ]


@pytest.fixture
def shop(tmp_path: Path) -> FollowedShop:
    return FollowedShop(tmp_path)


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def test_a_refund_is_logged_behind_its_purchase_and_before_its_customers_next(
    shop: FollowedShop,
) -> None:
    names = ("fraudwatch_ingest_accepted_total", "fraudwatch_ingest_refunds_total")
    before = [counted(name) for name in names]
    purchases = [a_purchase(id=f"p{n}", event_at_ms=NOON_MS + n) for n in (1, 2)]
    assert shop.read(purchases[0], a_reported_refund(id="r1", purchase_id="p1"), purchases[1]) == 0
    assert shop.logged == ["shop:p1", "shop:r1", "shop:p2"]
    # Of one customer: the same key, so the same partition.
    assert len({key for key, _, _ in shop.topic.messages}) == 1
    assert [counted(name) for name in names] == [before[0] + 2, before[1] + 1]
    assert (shop.purchases.status.accepted, shop.refunds.status.accepted) == (2, 1)
    assert shop.purchases.status.caught_up


def test_a_repeated_page_changes_nothing(shop: FollowedShop) -> None:
    page = (a_purchase(id="p1"), a_reported_refund(purchase_id="p1"))
    shop.read(*page)
    shop.read(*page)
    assert len(shop.topic.messages) == 2
    assert (shop.purchases.status.repeated, shop.refunds.status.repeated) == (1, 1)


def test_a_page_of_which_the_refund_is_not_acknowledged_is_read_again(shop: FollowedShop) -> None:
    page = (a_purchase(id="p1"), a_reported_refund(purchase_id="p1"))
    shop.refunds.intake.topic = MemoryTopic()
    shop.refunds.intake.topic.is_reachable = False
    assert shop.read(*page) == RETRY_SECONDS
    assert shop.logged == ["shop:p1"]
    assert not shop.cursor_file.exists()
    shop.refunds.intake.topic = shop.topic
    assert shop.read(*page) == 0
    assert shop.logged == ["shop:p1", "shop:refund-1"]
    assert shop.purchases.status.repeated == 1


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"amount_minor": 0}, Code.OUT_OF_BOUNDS, "amount_minor"),
        ({"refunded_at_ms": NOON_MS - 1}, Code.OUT_OF_BOUNDS, "is before the purchase"),
        ({"refunded_at_ms": NOW_MS + DAY_MS}, Code.FUTURE_EVENT, "is in the future"),
        ({"source": "bank"}, Code.OUT_OF_BOUNDS, "none that this feed speaks for"),
        ({"purchase_id": 7}, Code.WRONG_SCHEMA, "purchase_id"),
    ],
)
def test_a_wrong_refund_is_dead_lettered_with_its_reason_and_the_rest_goes_on(
    shop: FollowedShop, changes: dict[str, Any], code: Code, reason: str
) -> None:
    wrong = decode(dict, encode(a_reported_refund())) | changes
    assert shop.read(a_purchase(), wrong, a_purchase(id="later", customer_id="another")) == 0
    assert shop.logged == ["shop:1", "shop:later"]
    [(origin, record)] = shop.records.records.items()
    assert (origin, record.code) == ("feed:1", code)
    assert reason in record.reason


def test_wrong_refunds_count_for_the_quota_of_the_feed(shop: FollowedShop) -> None:
    wrong = [decode(dict, encode(a_reported_refund(id=f"r{n}"))) for n in range(3)]
    for one in wrong:
        one["amount_minor"] = -1
    assert shop.read(*wrong) == 0
    assert len(shop.records.records) == 3
    assert shop.read(a_purchase()) == PAUSED_SECONDS
    assert [state.source for state in shop.states.listed()] == ["feed"]


def test_a_purchase_that_names_a_time_of_refund_is_a_purchase(shop: FollowedShop) -> None:
    order = decode(dict, encode(a_purchase())) | {"refunded_at_ms": NOON_MS}
    shop.read(order)
    assert shop.logged == ["shop:1"]
