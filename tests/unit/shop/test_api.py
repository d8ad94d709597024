from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shop.api import create_app
from shop.malformed import maybe_malform
from shop.plan import Plan
from shop.world import World

KEY = "k3y-of-an-integrator-42"
LIVE_FROM_MINUTE = 29_400_000 + 17
PLAN = Plan(
    seed=5,
    customers=50,
    history_days=2,
    history_purchases=1_500,
    live_purchases_per_second=2.0,
    chargeback_delay_days=0.5,
    live_from_minute=LIVE_FROM_MINUTE,
)
DAY_MS = 86_400_000


class Clock:
    """A clock that a test sets, and that advances by ``step_ms`` each time it is read."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms, self.step_ms = now_ms, 0

    def __call__(self) -> int:
        self.now_ms += self.step_ms
        return self.now_ms


@pytest.fixture(scope="module")
def world() -> World:
    return World(PLAN)


@pytest.fixture
def clock() -> Clock:
    return Clock((LIVE_FROM_MINUTE + 3) * 60_000 + 31_234)


@pytest.fixture
def client(world: World, clock: Clock) -> TestClient:
    app = create_app(world, api_key=KEY, now_ms=clock)
    return TestClient(app, headers={"Authorization": f"Bearer {KEY}"})


def purchases_until(world: World, until_ms: int) -> list[dict[str, Any]]:
    minutes = range(PLAN.epoch_minute, until_ms // 60_000 + 1)
    everything = [
        maybe_malform(p, PLAN.seed) for m in minutes for p in world.purchases_of_minute(m)
    ]
    return [p for p in everything if p["event_at_ms"] <= until_ms]


def pages(client: TestClient, after: str, limits: Iterator[int]) -> Iterator[dict[str, Any]]:
    while True:
        answer = client.get("/v1/feed", params={"after": after, "limit": next(limits)})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        if not page["events"]:
            return
        yield page
        after = page["next_cursor"]


def of_size(limit: int) -> Iterator[int]:
    while True:
        yield limit


def test_health_needs_no_key_and_reports_the_start_of_the_live_time(client: TestClient) -> None:
    answer = client.get("/health", headers={"Authorization": ""})
    assert answer.json() == {
        "status": "ok",
        "history_from_ms": PLAN.epoch_minute * 60_000,
        "live_from_ms": LIVE_FROM_MINUTE * 60_000,
    }


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x"]
)
@pytest.mark.parametrize("path", ["/v1/feed", "/v1/chargebacks", "/v1/extract/2025-11-20"])
def test_a_missing_or_wrong_key_is_refused(client: TestClient, path: str, header: str) -> None:
    answer = client.get(path, headers={"Authorization": header})
    assert answer.status_code == 401
    assert "events" not in answer.text
    assert KEY not in answer.text


def test_the_feed_serves_everything_until_now_and_nothing_of_the_future(
    client: TestClient, world: World, clock: Clock
) -> None:
    expected = purchases_until(world, clock.now_ms)
    read = [event for page in pages(client, "", of_size(700)) for event in page["events"]]
    assert read == expected
    assert world.purchases_of_minute(LIVE_FROM_MINUTE + 3)[-1]["event_at_ms"] > clock.now_ms


def test_the_feed_resumes_at_any_cursor_without_gap_or_repeat(
    client: TestClient, world: World, clock: Clock
) -> None:
    expected = purchases_until(world, clock.now_ms)
    rng = random.Random(3)
    limits = (rng.choice((1, 2, 7, 60, 500)) for _ in iter(int, 1))
    read = 0
    for page in pages(client, "", limits):
        assert page["events"] == expected[read : read + len(page["events"])]
        read += len(page["events"])
        assert (page["sequence"], page["head_sequence"]) == (read, len(expected))
    assert read == len(expected)


def test_every_position_in_a_minute_is_a_cursor(client: TestClient, world: World) -> None:
    expected = world.purchases_of_minute(LIVE_FROM_MINUTE + 1)
    for index in range(len(expected)):
        cursor = f"{LIVE_FROM_MINUTE + 1}:{index}"
        page = client.get("/v1/feed", params={"after": cursor, "limit": 3}).json()
        assert page["events"][0]["id"] == expected[index]["id"]


def test_a_reader_at_the_head_gets_what_happened_since(client: TestClient, clock: Clock) -> None:
    *_, last = pages(client, "", of_size(5_000))
    clock.now_ms += 20_000
    since = client.get("/v1/feed", params={"after": last["next_cursor"]}).json()
    assert since["events"]
    assert since["sequence"] == last["sequence"] + len(since["events"])
    assert all(event["event_at_ms"] > clock.now_ms - 20_000 for event in since["events"])


def test_a_clock_that_was_set_back_repeats_nothing(client: TestClient, clock: Clock) -> None:
    *_, last = pages(client, "", of_size(5_000))
    clock.now_ms -= 90_000
    page = client.get("/v1/feed", params={"after": last["next_cursor"]}).json()
    assert (page["events"], page["next_cursor"]) == ([], last["next_cursor"])


def test_a_long_poll_answers_with_the_next_purchase_when_it_happens(
    client: TestClient, clock: Clock
) -> None:
    *_, last = pages(client, "", of_size(5_000))
    clock.step_ms = 50
    before_ms = clock.now_ms
    params: dict[str, str | float] = {"after": last["next_cursor"], "wait_seconds": 20}
    page = client.get("/v1/feed", params=params).json()
    assert before_ms < page["events"][0]["event_at_ms"] <= clock.now_ms
    assert len(page["events"]) == 1


def test_a_long_poll_without_a_new_purchase_ends_empty(client: TestClient, clock: Clock) -> None:
    *_, last = pages(client, "", of_size(5_000))
    clock.step_ms = 1
    params: dict[str, str | float] = {"after": last["next_cursor"], "wait_seconds": 0.01}
    page = client.get("/v1/feed", params=params).json()
    assert page["events"] == []
    assert page["next_cursor"] == last["next_cursor"]


@pytest.mark.parametrize(
    "cursor", ["nonsense", "1:2:3", "-1:0", "5:0", "99999999:0", f"{LIVE_FROM_MINUTE}:100000"]
)
def test_a_cursor_of_no_or_another_world_is_refused(client: TestClient, cursor: str) -> None:
    answer = client.get("/v1/feed", params={"after": cursor})
    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["limit=0", "limit=5001", "wait_seconds=21", "wait_seconds=nan"])
def test_limits_of_the_feed_are_enforced(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/feed?{query}").status_code == 422


def days() -> list[str]:
    first = PLAN.epoch_minute * 60_000 // DAY_MS
    return [
        datetime.fromtimestamp((first + n) * 86_400, UTC).date().isoformat() for n in range(-1, 4)
    ]


@pytest.mark.parametrize("page_size", [97, 10_000])
def test_pages_of_an_extract_add_up_to_its_totals(
    client: TestClient, clock: Clock, page_size: int
) -> None:
    clock.now_ms = (PLAN.epoch_minute + 3 * 1_440) * 60_000
    _, first_day, whole_day, *_ = days()
    for day in (first_day, whole_day):
        params = {"page_size": page_size}
        page = client.get(f"/v1/extract/{day}", params=params).json()
        totals = {k: v for k, v in page.items() if k not in {"page", "purchases"}}
        purchases = page["purchases"]
        for number in range(2, page["pages"] + 1):
            page = client.get(f"/v1/extract/{day}", params=params | {"page": number}).json()
            assert totals.items() <= page.items()
            purchases += page["purchases"]
        assert len(purchases) == totals["total_purchases"] > 100
        assert len({p["id"] for p in purchases}) == len(purchases)
        amounts = Counter[str]()
        checksum = hashlib.sha256()
        for purchase in purchases:
            amounts[purchase["currency"]] += purchase["amount_minor"]
            line = json.dumps(purchase, sort_keys=True, separators=(",", ":"))
            checksum.update(line.encode() + b"\n")
        assert amounts == totals["total_amount_minor_by_currency"]
        assert checksum.hexdigest() == totals["checksum_sha256"]


def test_an_extract_and_the_feed_have_the_same_purchases(
    client: TestClient, world: World, clock: Clock
) -> None:
    day = days()[2]
    page = client.get(f"/v1/extract/{day}", params={"page_size": 10_000}).json()
    fed = [
        event["id"]
        for event in purchases_until(world, clock.now_ms)
        if datetime.fromtimestamp(event["event_at_ms"] / 1_000, UTC).date().isoformat() == day
    ]
    assert [p["id"] for p in page["purchases"]] == fed


def test_days_that_do_not_exist_are_refused_with_a_reason(client: TestClient) -> None:
    before, first, _, today, _ = days()
    answers = {
        day: client.get(f"/v1/extract/{day}") for day in (before, first, today, "9999-12-31")
    }
    assert {day: a.status_code for day, a in answers.items()} == {
        before: 404,
        first: 200,
        today: 409,
        "9999-12-31": 409,
    }
    assert "before" in answers[before].json()["detail"]
    assert "not over" in answers[today].json()["detail"]
    assert client.get("/v1/extract/yesterday").status_code == 422
    assert client.get(f"/v1/extract/{first}", params={"page": 1_000}).status_code == 404


def test_endpoints_are_documented(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/health", "/v1/feed", "/v1/chargebacks", "/v1/extract/{day}"}
    assert all(len(path["get"]["description"]) > 50 for path in paths.values())
    assert paths["/v1/feed"]["get"]["security"]
