"""Feeds in another shape, over a provider with scripted pages."""

from __future__ import annotations

import json
import logging
import textwrap
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.codecs.submitted import read_purchase
from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.mapping import load_mapping
from fraudwatch.adapters.edge.feed_files import BrokenFeedFile, api_key_of, feed_paths, load_feed
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.adapters.edge.mapped_feed import MappedFeed
from fraudwatch.adapters.edge.shop_feed import FeedUnavailable
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.key_check import KeyCheck, add_key_check
from fraudwatch.adapters.kafka_log.feed_replay_targets import feed_targets
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryTopic
from fraudwatch.adapters.quota_folder import FOLDER, QuotaFolder
from fraudwatch.application.dead_letters.dlq import NotReplayable
from fraudwatch.application.dead_letters.quota import DeadLetterQuota
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import purchase_builder
from fraudwatch.domain.api_keys import ApiKey, Scope, digest_of, presented_form
from fraudwatch.domain.dead_letter_quota import QuotaLimits
from fraudwatch.domain.messages.dead_letter import Code
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS
from fraudwatch.settings import IngestSettings
from fraudwatch.stack.home import ROOT
from streaming.ingest.channel import PURCHASE_METRICS, IngestChannel
from streaming.ingest.feed import EMPTY_SECONDS, PAUSED_SECONDS, RETRY_SECONDS, FeedFollower
from streaming.ingest.mapped_feeds import (
    MappedFeedChannel,
    MappedFeedStatus,
    add_feeds,
    follow_mapped_feeds,
    follower_of,
)
from streaming.ingest.quota import ingest_quota

MAPPINGS = ROOT / "contracts/datasets"
PAGE = ROOT / "docs/feeds.md"
SECRET = "a-key-of-the-test"
KEY = ApiKey(
    key_id="k1",
    client="operator",
    scopes=(Scope.INGEST,),
    sources=(),
    requests_per_second=None,
    created_at_ms=0,
    expires_at_ms=None,
    revoked_at_ms=None,
    secret_sha256=digest_of(SECRET),
)
URL = "https://psp.example/v1/events"


def an_event(number: int, kind: str = "charge.succeeded", **more: Any) -> dict[str, Any]:
    charge = {
        "id": f"ch_{number}",
        "created": NOON_MS // 1000 - 60 + number,
        "amount": 1234,
        "currency": "eur",
        "customer": f"cus_{number}",
    }
    event: dict[str, Any] = {"id": f"evt_{number}", "type": kind}
    return event | {"data": {"object": charge | more}}


def a_page(*events: Any, cursor: str | int | None = "c1") -> httpx.Response:
    return httpx.Response(200, json={"data": events, "next_cursor": cursor})


def a_feed_file(folder: Path, name: str = "psp", **keys: Any) -> Path:
    """Write a feed file; a key that is None is left out."""
    plain = {
        "url": URL,
        "mapping": "payment_provider",
        "sources": ["psp"],
        "pages": {"records": "$.data", "next_cursor": "$.next_cursor"},
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in (plain | keys).items() if v is not None}))
    return path


class Followed:
    """A follower of a feed file over a provider with scripted responses."""

    def __init__(self, folder: Path, **keys: Any) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []
        self.topic, self.dead = MemoryTopic(), MemoryDeadLetters()
        edge = Edge(TinkVault(folder), RateTable([]))
        intake = Intake(purchase_builder(edge, encode), self.topic, self.dead, lambda: NOON_MS)
        self.purchases = IngestChannel(intake, PURCHASE_METRICS)
        self.states = QuotaFolder(folder / FOLDER)
        self._folder = folder
        self._definition = load_feed(a_feed_file(folder / "feeds", **keys), MAPPINGS)
        self.follower = self.new_follower()

    def new_follower(self) -> FeedFollower[Any]:
        """Build a follower as the next process does."""
        limits = QuotaLimits(per_minute=2, share_ratio=0.5)
        quota = DeadLetterQuota(limits, self.states, lambda: NOON_MS)
        self.channel = MappedFeedChannel(self.purchases)
        transport = httpx.MockTransport(self._answer)
        feed = MappedFeed(self._definition, "sk_test_1", transport=transport)
        return follower_of(self._definition, feed, self.channel, self._folder, quota)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)

    @property
    def ids(self) -> list[str]:
        return [decode(Transaction, value).transaction_id for _, value, _ in self.topic.messages]

    @property
    def cursor(self) -> str:
        text = (self._folder / "feed.psp.cursor.json").read_text()
        return str(json.loads(text)["cursor"])


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path)


def test_records_become_purchases_and_the_cursor_survives_the_process(followed: Followed) -> None:
    followed.answers = [a_page(an_event(1), an_event(2), cursor="c2"), a_page(cursor=None)]
    assert followed.follower.read_page() == 0
    assert followed.ids == ["psp:ch_1", "psp:ch_2"]
    assert followed.cursor == "c2"

    assert followed.new_follower().read_page() == EMPTY_SECONDS
    assert followed.channel.status.cursor == "c2"
    first, second = followed.requests
    assert str(first.url) == f"{URL}?limit=100"
    assert str(second.url) == f"{URL}?after=c2&limit=100"
    assert first.headers["Authorization"] == "Bearer sk_test_1"


def test_a_page_that_was_not_acknowledged_is_read_again_and_nothing_is_sent_twice(
    followed: Followed,
) -> None:
    page = (an_event(1), an_event(2, amount="12.x"))
    followed.answers = [a_page(*page), a_page(*page), a_page(*page, an_event(3), cursor="c3")]
    followed.topic.is_reachable = False
    assert followed.follower.read_page() == RETRY_SECONDS
    followed.topic.is_reachable = True
    followed.follower.read_page()
    # Killed after the broker's acknowledgement and before the cursor was written.
    (Path(followed._folder) / "feed.psp.cursor.json").unlink()
    followed.new_follower().read_page()
    assert ["after" in request.url.params for request in followed.requests] == [False] * 3
    assert followed.ids == ["psp:ch_1", "psp:ch_3"]
    assert list(followed.dead.records) == ["feed.psp:+1"]
    assert followed.channel.status.repeated == 1


def test_what_does_not_fit_is_dead_lettered_as_it_came_and_never_printed(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = an_event(1, amount="SECRET")
    followed.answers = [a_page(wrong, an_event(2), ["SECRET"], an_event(4, currency="xxq"))]
    with caplog.at_level(logging.DEBUG):
        followed.follower.read_page()
    assert followed.ids == ["psp:ch_2"]
    found = followed.dead.records
    assert {origin: one.code for origin, one in found.items()} == dict.fromkeys(
        ["feed.psp:+0", "feed.psp:+2", "feed.psp:+3"], Code.WRONG_SCHEMA
    )
    assert json.loads(found["feed.psp:+0"].payload) == wrong
    assert found["feed.psp:+0"].reason == (
        "amount_minor (column $.data.object.amount) is no decimal number such as 12.34"
    )
    assert "feed.psp:+0" in caplog.text
    assert "SECRET" not in caplog.text
    status = followed.channel.status
    assert (status.accepted, status.dead_lettered, status.left_out) == (1, 3, 0)


def test_records_that_are_no_purchases_are_left_out_counted_and_passed(followed: Followed) -> None:
    followed.answers = [a_page(an_event(1, "payout.paid"), an_event(2, "charge.refunded"))]
    assert followed.follower.read_page() == 0
    assert followed.cursor == "c1"
    assert followed.channel.status.left_out == 2
    assert (followed.ids, followed.dead.records) == ([], {})


def test_an_optional_field_that_cannot_be_used_is_cleaned_as_everywhere(
    followed: Followed,
) -> None:
    followed.answers = [a_page(an_event(1, metadata={"ip": "203.0.113.9, 10.0.0.7"}))]
    followed.follower.read_page()
    assert followed.dead.records == {}
    assert decode(Transaction, followed.topic.messages[0][1]).ip_token is not None


def test_a_purchase_of_a_feed_is_that_of_a_replay(followed: Followed, tmp_path: Path) -> None:
    events = [an_event(1), an_event(2, "charge.failed", amount=10**13)]
    followed.answers = [a_page(*events)]
    followed.follower.read_page()
    path = tmp_path / "events.ndjson"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in events))
    dataset = DatasetFile(path, load_mapping(MAPPINGS / "payment_provider.yaml"))
    [batch] = dataset.batches(0, 10)
    # Other content under a known id would be refused.
    result = followed.purchases.submit([read_purchase(body) for body in batch.bodies])
    assert (result.accepted, result.repeated) == (0, 2)


def test_a_feed_speaks_for_its_own_sources_alone(tmp_path: Path) -> None:
    followed = Followed(tmp_path, sources=["another"])
    followed.answers = [a_page(an_event(1))]
    followed.follower.read_page()
    [one] = followed.dead.records.values()
    assert (followed.ids, one.reason) == ([], "source is none that this feed speaks for")


def test_a_feed_over_its_quota_is_paused_by_its_own_name(followed: Followed) -> None:
    followed.answers = [a_page({}, {"type": "charge.failed"}, *[an_event(1, amount="x")] * 3)]
    assert followed.follower.read_page() == 0
    assert followed.new_follower().read_page() == PAUSED_SECONDS
    assert [state.source for state in followed.states.listed()] == ["feed.psp"]


def test_the_cursor_may_be_in_the_last_record_and_parameters_are_named(tmp_path: Path) -> None:
    followed = Followed(
        tmp_path,
        pages={"records": "$['events'].items", "last_record_cursor": "$.id"},
        parameters={"kind": "charge"},
        cursor_parameter="starting_after",
        limit_parameter=None,
        api_key_header="X-API-Key",
    )
    body = {"events": {"items": [an_event(1), an_event(2)]}}
    followed.answers = [
        httpx.Response(200, json=body),
        httpx.Response(200, json={"events": {"items": []}}),
    ]
    assert [followed.follower.read_page() for _ in range(2)] == [0, EMPTY_SECONDS]
    assert [str(one.url) for one in followed.requests] == [
        f"{URL}?kind=charge&limit=100",
        f"{URL}?kind=charge&starting_after=evt_2&limit=100",
    ]
    assert followed.requests[0].headers["X-API-Key"] == "sk_test_1"
    assert "Authorization" not in followed.requests[0].headers


def test_a_whole_number_is_a_cursor(followed: Followed) -> None:
    followed.answers = [a_page(an_event(1), cursor=2**60)]
    followed.follower.read_page()
    assert followed.cursor == str(2**60)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(401), "401 Unauthorized"),
        (httpx.Response(200, content=b"<html>"), "malformed"),
        (httpx.Response(200, json={"items": []}), "no list of records at $.data; correct"),
        (httpx.Response(200, json={"data": {}}), "no list of records at $.data; correct"),
        (httpx.Response(200, json=[]), "no list of records at $.data; correct"),
        (a_page(an_event(1), cursor=None), "no cursor beyond it, so nothing of it was ingested"),
        (a_page(an_event(1), cursor=""), "no cursor beyond it, so nothing of it was ingested"),
    ],
)
def test_an_invalid_page_is_requested_again(
    followed: Followed, answer: httpx.Response, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    followed.answers = [answer]
    assert followed.follower.read_page() == RETRY_SECONDS
    assert "feeds/psp gave" in caplog.text
    assert reason in caplog.text
    assert followed.ids == []


def test_a_page_that_does_not_move_the_cursor_would_be_read_forever(followed: Followed) -> None:
    followed.answers = [a_page(an_event(1)), a_page(an_event(1), an_event(2))]
    followed.follower.read_page()
    assert followed.follower.read_page() == RETRY_SECONDS
    assert followed.ids == ["psp:ch_1"]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"url": "http://psp.example/v1"}, "url: must be an https address"),
        ({"url": "https://["}, "url: must be an https address"),
        ({"sources": []}, "sources: List should have at least 1 item"),
        ({"mapping": "nothing"}, "nothing.yaml cannot be read as YAML: .*No such file"),
        ({"mapping": "paysim"}, "its mapping cannot be used for a feed: fields.id: file_hash is"),
        ({"pages": {"next_cursor": "data"}}, "pages.next_cursor: must be a JSON path such as"),
        ({"pages": {"next_cursor": "$.a[*]"}}, "pages.next_cursor: is no path of names"),
        ({"pages": {"records": "$.data"}}, "pages: give either next_cursor"),
        ({"urls": "x"}, "urls: Extra inputs are not permitted"),
    ],
)
def test_a_feed_file_that_cannot_be_used_says_why_in_one_line(
    tmp_path: Path, keys: dict[str, Any], reason: str
) -> None:
    path = a_feed_file(tmp_path, **keys)
    with pytest.raises(BrokenFeedFile, match=reason) as caught:
        load_feed(path, MAPPINGS)
    assert str(path.parent) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mapping_may_be_beside_the_feed_file(tmp_path: Path) -> None:
    own = tmp_path / "mine_mapping.yaml"
    text = (MAPPINGS / "payment_provider.yaml").read_text()
    own.write_text(text.replace("charge.failed", "charge.declined"))
    definition = load_feed(a_feed_file(tmp_path, mapping="mine_mapping.yaml"), MAPPINGS)
    [one] = definition.mapper.mapped([json.dumps(an_event(1, "charge.declined")).encode()])
    assert isinstance(one, bytes)


def settings(folder: Path) -> IngestSettings:
    return IngestSettings(
        reveal_api_key=SecretStr("a-key-of-the-console"),
        keys_folder=folder / "keys",
        state_folder=folder,
        rates_path=folder,
        sources_folder=folder,
    )


@pytest.mark.parametrize("content", [None, b"", b" \n", b"sk\x00", "schlüssel".encode()])
def test_a_feed_without_its_key_is_not_followed(tmp_path: Path, content: bytes | None) -> None:
    definition, file = load_feed(a_feed_file(tmp_path), MAPPINGS), tmp_path / "feed_psp.key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BrokenFeedFile, match=r"feed_psp\.key has no key, so feed psp cannot"):
        api_key_of(definition, tmp_path)
    file.write_bytes(b"sk_test_1\n")
    assert api_key_of(definition, tmp_path) == "sk_test_1"


def test_a_broken_feed_file_stops_no_other_and_is_shown(
    followed: Followed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a_feed_file(tmp_path / "feeds", "broken", url="ftp://x")
    quota = ingest_quota(tmp_path, lambda: NOON_MS)
    feeds = follow_mapped_feeds(
        tmp_path / "feeds", MAPPINGS, settings(tmp_path), followed.purchases, quota
    )
    assert list(feeds.unusable) == ["broken", "psp"]
    assert "broken.yaml is no valid feed file: url: must be an https address" in caplog.text
    app, keys = FastAPI(), ApiKeyFile(tmp_path / "keys.json")
    keys.change(lambda _: KEY)
    add_key_check(app, KeyCheck(keys))
    feeds.followed["psp"] = MappedFeedStatus(cursor="c1", accepted=3)
    add_feeds(app, feeds)
    client = TestClient(app)
    assert client.get("/v1/feeds").status_code == 401
    headers = {"Authorization": f"Bearer {presented_form(KEY.key_id, SECRET)}"}
    shown = client.get("/v1/feeds", headers=headers).json()
    assert shown["feeds"]["psp"] == {
        "cursor": "c1",
        "accepted": 3,
        "repeated": 0,
        "dead_lettered": 0,
        "left_out": 0,
    }
    assert list(shown["unusable"]) == ["broken", "psp"]


def test_the_example_of_the_page_is_a_feed_file(tmp_path: Path) -> None:
    text = PAGE.read_text().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "acme.yaml").write_text(textwrap.dedent(text))
    mapping = (MAPPINGS / "payment_provider.yaml").read_text()
    (tmp_path / "acme_mapping.yaml").write_text(mapping)
    definition = load_feed(tmp_path / "acme.yaml", MAPPINGS)
    assert (definition.origin, definition.file.sources) == ("feed.acme", ["acme"])
    assert feed_paths(tmp_path) == [tmp_path / "acme.yaml"]


def test_without_a_folder_nothing_is_followed(followed: Followed, tmp_path: Path) -> None:
    quota = ingest_quota(tmp_path, lambda: NOON_MS)
    feeds = follow_mapped_feeds(
        tmp_path / "no", MAPPINGS, settings(tmp_path), followed.purchases, quota
    )
    assert (feeds.followed, feeds.unusable) == ({}, {})


def test_a_dead_letter_is_mapped_anew_when_it_is_replayed(tmp_path: Path) -> None:
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.extend(json.loads(request.content))
        return httpx.Response(202, json={"accepted": 1, "repeated": 0})

    a_feed_file(tmp_path)
    a_feed_file(tmp_path, "broken", sources=[])
    with IngestApi(
        IngestEndpoint("http://ingest", "key"), transport=httpx.MockTransport(answer)
    ) as ingest:
        targets = feed_targets(tmp_path, MAPPINGS, ingest)
        targets["feed.psp"].replay(json.dumps(an_event(1)).encode())
        for payload in (an_event(2, amount="x"), an_event(3, "payout.paid")):
            with pytest.raises(NotReplayable, match=r"no decimal number|left out by its mapping"):
                targets["feed.psp"].check(json.dumps(payload).encode())
        with pytest.raises(NotReplayable, match="no valid feed file: sources"):
            targets["feed.broken"].replay(b"{}")
    [purchase] = sent
    assert (purchase["source"], purchase["id"]) == ("psp", "ch_1")


def test_the_feed_raises_what_the_follower_retries(tmp_path: Path) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    feed = MappedFeed(
        load_feed(a_feed_file(tmp_path), MAPPINGS), "key", transport=httpx.MockTransport(refuse)
    )
    with pytest.raises(FeedUnavailable, match="feeds/psp gave no page after 'c9': refused"):
        feed.after("c9")
