from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.shop_feed import CHARGEBACKS, PURCHASES, FeedUnavailable, ShopFeed
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryTopic
from fraudwatch.adapters.quota_folder import FOLDER, QuotaFolder
from fraudwatch.application.dead_letters.quota import DeadLetterQuota, resume
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import label_builder, purchase_builder
from fraudwatch.domain.dead_letter_quota import QuotaLimits
from fraudwatch.domain.messages.dead_letter import Code, Stage
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_purchase
from streaming.ingest.channel import LABEL_METRICS, PURCHASE_METRICS, IngestChannel
from streaming.ingest.feed import (
    EMPTY_SECONDS,
    MISSING_SECONDS,
    PAUSED_SECONDS,
    RETRY_SECONDS,
    FeedFollower,
)

Answer = Callable[[httpx.Request], httpx.Response]
GOOD = {
    "source": "shop",
    "id": "4",
    "verdict": "fraud",
    "by": "issuer",
    "known_at_ms": NOON_MS - 1,
}


def a_page(*messages: Any, cursor: str = "7", **more: int) -> httpx.Response:
    return httpx.Response(200, json={"chargebacks": messages, "next_cursor": cursor} | more)


def feed_of(answer: Answer) -> ShopFeed[ReportedLabel]:
    return ShopFeed(CHARGEBACKS, "http://shop", "key", transport=httpx.MockTransport(answer))


class Followed:
    """A follower of chargebacks over a shop with scripted responses."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []
        self.topic, self.records = MemoryTopic(), MemoryDeadLetters()
        self.cursor_file = folder / "chargebacks_cursor.json"
        intake = Intake(label_builder(encode), self.topic, self.records, lambda: NOON_MS)
        self.channel = IngestChannel(intake, LABEL_METRICS)
        self.follower = self.new_follower()

    def new_follower(self) -> FeedFollower[ReportedLabel]:
        return FeedFollower(feed_of(self._answer), self.channel, self.cursor_file, is_optional=True)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path)


def test_chargebacks_are_ingested_and_the_cursor_survives_the_process(followed: Followed) -> None:
    followed.answers = [a_page(GOOD, sequence=1, head_sequence=3), a_page(cursor="7")]
    assert followed.follower.read_page() == 0
    assert [key for key, _, _ in followed.topic.messages] == ["shop:4"]
    assert json.loads(followed.cursor_file.read_text()) == {"cursor": "7"}
    status = followed.channel.status
    assert (status.accepted, status.feed_sequence, status.caught_up) == (1, 1, False)

    assert followed.new_follower().read_page() == EMPTY_SECONDS
    first, second = (request.url.params for request in followed.requests)
    assert (first["after"], second["after"]) == ("", "7")
    assert (first["limit"], first["wait_seconds"]) == ("1000", "20")
    assert followed.requests[0].headers["Authorization"] == "Bearer key"


def test_an_invalid_label_is_dead_lettered_and_the_valid_ones_are_ingested(
    followed: Followed,
) -> None:
    bad = [GOOD | {"verdict": "maybe"}, GOOD | {"by": "4111111111111111"}]
    followed.answers = [a_page(bad[0], GOOD, bad[1], sequence=12, head_sequence=12)]
    followed.follower.read_page()
    assert len(followed.topic.messages) == 1
    dead_lettered = {o: (x.code, x.stage) for o, x in followed.records.records.items()}
    assert dead_lettered == {
        "chargebacks:9": (Code.WRONG_SCHEMA, Stage.INGEST),
        "chargebacks:11": (Code.OUT_OF_BOUNDS, Stage.INGEST),
    }
    assert json.loads(followed.records.records["chargebacks:9"].payload) == bad[0]


def test_without_a_sequence_a_dead_letter_is_named_by_its_cursor(followed: Followed) -> None:
    followed.answers = [a_page(cursor="5"), a_page(GOOD, {}, cursor="7")]
    followed.follower.read_page()
    followed.follower.read_page()
    assert list(followed.records.records) == ["chargebacks:5+1"]


def test_a_shop_without_chargebacks_is_logged_once_and_rarely_requested(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    followed.answers = [httpx.Response(404), httpx.Response(404), a_page(GOOD)]
    with caplog.at_level(logging.INFO):
        assert [followed.follower.read_page() for _ in range(3)] == [
            MISSING_SECONDS,
            MISSING_SECONDS,
            0,
        ]
    assert len([r for r in caplog.records if r.name == "ingest"]) == 1
    assert len(followed.topic.messages) == 1


def test_unacknowledged_pages_are_read_again(followed: Followed) -> None:
    followed.answers = [a_page(GOOD), a_page(GOOD)]
    followed.topic.is_reachable = False
    assert followed.follower.read_page() == RETRY_SECONDS
    assert not followed.cursor_file.exists()
    followed.topic.is_reachable = True
    followed.follower.read_page()
    assert [request.url.params["after"] for request in followed.requests] == ["", ""]
    assert len(followed.topic.messages) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json={"chargebacks": []}),
        httpx.Response(200, json={"events": [], "next_cursor": "1"}),
        httpx.Response(200, content=b'{"chargebacks":[],"next_cursor":"\xff"}'),
    ],
)
def test_an_invalid_page_is_requested_again(followed: Followed, answer: httpx.Response) -> None:
    with pytest.raises(FeedUnavailable):
        feed_of(lambda _: answer).after("")
    followed.answers = [answer]
    assert followed.follower.read_page() == RETRY_SECONDS


def test_purchases_are_followed_by_the_same_shape_and_may_not_be_missing(tmp_path: Path) -> None:
    topic, dead_letters = MemoryTopic(), MemoryDeadLetters()
    edge = Edge(TinkVault(tmp_path), RateTable([]))
    intake = Intake(purchase_builder(edge, encode), topic, dead_letters, lambda: NOON_MS)
    events = encode([a_purchase(), {"broken": True}])
    body = b'{"events":%b,"next_cursor":"1:2","sequence":2,"head_sequence":2}' % events
    answers = [httpx.Response(404), httpx.Response(200, content=body)]
    feed = ShopFeed(
        PURCHASES, "http://shop", "key", transport=httpx.MockTransport(lambda _: answers.pop(0))
    )
    channel = IngestChannel(intake, PURCHASE_METRICS)
    follower = FeedFollower(feed, channel, tmp_path / "cursor.json")
    assert follower.read_page() == RETRY_SECONDS
    assert follower.read_page() == 0
    assert len(topic.messages) == 1
    assert list(dead_letters.records) == ["feed:1"]
    assert (channel.status.caught_up, channel.status.cursor) == (True, "1:2")


def test_a_purchase_with_an_unusable_optional_field_is_judged_and_counted(tmp_path: Path) -> None:
    topic, dead_letters = MemoryTopic(), MemoryDeadLetters()
    edge = Edge(TinkVault(tmp_path), RateTable([]))
    intake = Intake(purchase_builder(edge, encode), topic, dead_letters, lambda: NOON_MS)
    # Whoever writes X-Forwarded-For must not keep a purchase from being judged.
    sent = json.loads(encode(a_purchase())) | {"ip": "<script>, 203.0.113.9, 10.0.0.7", "new": 1}
    page = {"events": [sent], "next_cursor": "1"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=page))
    channel = IngestChannel(intake, PURCHASE_METRICS)
    feed = ShopFeed(PURCHASES, "http://shop", "key", transport=transport)
    labels = {"field": "ip", "outcome": "cleaned"}
    names = [("fraudwatch_ingest_field_warnings_total", labels)]
    names += [("fraudwatch_ingest_ignored_fields_total", {})]
    before = [REGISTRY.get_sample_value(*name) or 0.0 for name in names]
    FeedFollower(feed, channel, tmp_path / "cursor.json").read_page()
    assert dead_letters.records == {}
    [(_, value, _)] = topic.messages
    plain = edge.admit(a_purchase(ip="203.0.113.9"), now_ms=NOON_MS)
    assert decode(Transaction, value).ip_token == plain.ip_token
    assert [REGISTRY.get_sample_value(*name) for name in names] == [n + 1 for n in before]


@pytest.mark.parametrize(
    ("sources", "accepted"), [({"shop"}, ["shop:4"]), (set(), ["shop:4", "bank:4"])]
)
def test_a_feed_speaks_for_its_own_sources_alone(
    tmp_path: Path, sources: set[str], accepted: list[str]
) -> None:
    followed = Followed(tmp_path)
    page = a_page(GOOD, GOOD | {"source": "bank"}, {}, sequence=3, head_sequence=3)
    followed.answers = [page]
    follower = FeedFollower(
        feed_of(followed._answer),
        followed.channel,
        followed.cursor_file,
        sources=frozenset(sources),
    )
    assert follower.read_page() == 0
    assert [key for key, _, _ in followed.topic.messages] == accepted
    dead_letters = {origin: one.reason for origin, one in followed.records.records.items()}
    refused = {"chargebacks:1": "source is none that this feed speaks for"} if sources else {}
    assert dead_letters == refused | {"chargebacks:2": "source is missing"}


def test_the_callback_gets_a_page_only_after_its_acknowledgement(tmp_path: Path) -> None:
    followed, page_sizes = Followed(tmp_path), list[int]()
    follower = FeedFollower(
        feed_of(followed._answer),
        followed.channel,
        followed.cursor_file,
        on_acknowledged=lambda page: page_sizes.append(len(page.items)),
    )
    followed.answers = [a_page(GOOD), a_page(GOOD), a_page()]
    followed.topic.is_reachable = False
    follower.read_page()
    assert page_sizes == []
    followed.topic.is_reachable = True
    follower.read_page()
    follower.read_page()
    assert page_sizes == [1, 0]


def test_a_feed_over_its_quota_is_not_read_on_until_it_is_resumed(tmp_path: Path) -> None:
    followed, states = Followed(tmp_path), QuotaFolder(tmp_path / FOLDER)
    quota = DeadLetterQuota(QuotaLimits(per_minute=2, share_ratio=0.5), states, lambda: NOON_MS)

    def follower() -> FeedFollower[ReportedLabel]:
        feed = feed_of(followed._answer)
        return FeedFollower(feed, followed.channel, followed.cursor_file, quota=quota)

    first = follower()
    followed.answers = [a_page(GOOD, {}, {}, cursor="3"), a_page({}, {}, cursor="5")]
    assert [first.read_page(), first.read_page()] == [0, 0]
    assert len(followed.records.records) == 4
    for one in (first, first, follower()):  # the last is that of the next process
        assert one.read_page() == PAUSED_SECONDS
    assert len(followed.requests) == 2

    resume(states, "chargebacks", now_ms=NOON_MS, minutes=1)
    followed.answers = [a_page({}, {}, {}, cursor="8"), a_page(GOOD | {"id": "9"}, cursor="9")]
    assert [first.read_page(), first.read_page()] == [0, 0]
    assert followed.requests[2].url.params["after"] == "5"
    assert [key for key, _, _ in followed.topic.messages] == ["shop:4", "shop:9"]
