from __future__ import annotations

import dataclasses
import random
from functools import cache
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shop.api import create_app
from shop.chargebacks import IssuedChargeback, chargebacks_of
from shop.ledger import ChargebackStream
from shop.plan import Plan
from shop.stream import Cursor
from shop.world import World

KEY = "k3y-of-an-integrator-42"
LIVE_FROM_MINUTE = 29_400_000 + 17
PLAN = Plan(
    seed=5,
    customers=60,
    history_days=6,
    history_purchases=30_000,
    live_purchases_per_second=1.0,
    chargeback_delay_days=1.0,
    live_from_minute=LIVE_FROM_MINUTE,
)
HISTORY = range(PLAN.epoch_minute, LIVE_FROM_MINUTE)
NOW_MS = LIVE_FROM_MINUTE * 60_000 + 31_234
DAY_MS = 86_400_000


@cache
def world() -> World:
    return World(PLAN)


@cache
def purchases() -> dict[str, dict[str, Any]]:
    return {p["id"]: p for minute in HISTORY for p in world().purchases_of_minute(minute)}


@cache
def fraud() -> frozenset[str]:
    return frozenset(
        f"{minute}-{n}"
        for minute in HISTORY
        for n, (_, is_fraud) in enumerate(world().moments_of_minute(minute))
        if is_fraud
    )


@cache
def all_chargebacks() -> tuple[IssuedChargeback, ...]:
    return tuple(chargeback for minute in HISTORY for chargeback in chargebacks_of(world(), minute))


def id_of(chargeback: IssuedChargeback) -> str:
    return f"{chargeback.minute}-{chargeback.number}"


def expected(now_ms: int) -> list[str]:
    known = sorted(c for c in all_chargebacks() if c.known_at_ms <= now_ms)
    return [id_of(chargeback) for chargeback in known]


class Clock:
    def __init__(self) -> None:
        self.now_ms, self.step_ms = NOW_MS, 0

    def __call__(self) -> int:
        self.now_ms += self.step_ms
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> TestClient:
    app = create_app(world(), api_key=KEY, now_ms=clock)
    return TestClient(app, headers={"Authorization": f"Bearer {KEY}"})


def page_after(client: TestClient, after: str, **params: float) -> dict[str, Any]:
    answer = client.get("/v1/chargebacks", params={"after": after, **params})
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_most_fraud_is_charged_back_and_few_genuine_purchases_are() -> None:
    reported = {id_of(chargeback) for chargeback in all_chargebacks()}
    assert len(reported) == len(all_chargebacks())
    assert reported <= purchases().keys()
    assert 0.78 < len(reported & fraud()) / len(fraud()) < 0.92
    friendly = len(reported - fraud()) / (len(purchases()) - len(fraud()))
    assert 0.000_05 < friendly < 0.000_5


@pytest.mark.parametrize("mean_days", [0.25, 3.0])
def test_delays_are_skewed_around_the_mean_of_the_settings(mean_days: float) -> None:
    plan = dataclasses.replace(PLAN, chargeback_delay_days=mean_days)
    other = World(plan)
    days = sorted(
        (chargeback.known_at_ms - other.moments_of_minute(minute)[chargeback.number][0]) / DAY_MS
        for minute in HISTORY[::2]
        for chargeback in chargebacks_of(other, minute)
    )
    assert days[0] > 0
    assert abs(sum(days) / len(days) / mean_days - 1) < 0.25
    assert 0.6 < days[len(days) // 2] / mean_days < 0.85


def test_the_stream_has_what_is_known_by_now_in_order_and_nothing_of_the_future(
    client: TestClient,
) -> None:
    page = page_after(client, "", limit=5_000)
    entries = page["chargebacks"]
    assert [entry["id"] for entry in entries] == expected(NOW_MS)
    assert 0 < len(entries) < len(all_chargebacks())
    assert page["sequence"] == page["head_sequence"] == len(entries)
    for entry in entries:
        assert entry.keys() == {"source", "id", "verdict", "by", "known_at_ms"}
        assert (entry["verdict"], entry["by"]) == ("fraud", "issuer")
        purchase = purchases()[entry["id"]]
        assert entry["source"] == purchase["source"]
        assert purchase["event_at_ms"] < entry["known_at_ms"] <= NOW_MS
    assert [e["known_at_ms"] for e in entries] == sorted(e["known_at_ms"] for e in entries)


def test_the_stream_resumes_at_any_cursor_also_after_a_restart(clock: Clock) -> None:
    rng, after, read = random.Random(4), "", list[str]()
    while len(read) < len(expected(NOW_MS)):
        app = create_app(world(), api_key=KEY, now_ms=clock)
        client = TestClient(app, headers={"Authorization": f"Bearer {KEY}"})
        page = page_after(client, after, limit=rng.choice((7, 60, 120)))
        read += [entry["id"] for entry in page["chargebacks"]]
        assert (page["sequence"], page["head_sequence"]) == (len(read), len(expected(NOW_MS)))
        after = page["next_cursor"]
    assert read == expected(NOW_MS)


def test_reading_while_time_passes_gives_the_same_as_reading_at_the_end() -> None:
    steps, stream = range(HISTORY[0] * 60_000, NOW_MS, 5 * 3_600_000), ChargebackStream(world())
    cursor, read = Cursor(PLAN.epoch_minute, 0), list[bytes]()
    for now_ms in (*steps, NOW_MS):
        page = stream.page(cursor, limit=5_000, now_ms=now_ms)
        read += page.messages
        cursor = page.next_cursor
    at_the_end = ChargebackStream(World(PLAN)).page(
        Cursor(PLAN.epoch_minute, 0), limit=5_000, now_ms=NOW_MS
    )
    assert read == at_the_end.messages


def test_a_clock_that_was_set_back_neither_refuses_nor_repeats(clock: Clock) -> None:
    last = max(c for c in all_chargebacks() if c.known_at_ms <= NOW_MS)
    app = create_app(world(), api_key=KEY, now_ms=clock)
    client = TestClient(app, headers={"Authorization": f"Bearer {KEY}"})
    cursor = page_after(client, "", limit=5_000)["next_cursor"]
    clock.now_ms = last.known_at_ms - 100_000
    restarted = create_app(world(), api_key=KEY, now_ms=clock)
    for one_app in (app, restarted):
        client = TestClient(one_app, headers={"Authorization": f"Bearer {KEY}"})
        page = page_after(client, cursor)
        assert (page["chargebacks"], page["next_cursor"]) == ([], cursor)


def test_a_long_poll_answers_with_the_next_chargeback_when_it_is_known(
    client: TestClient, clock: Clock
) -> None:
    upcoming = min(c for c in all_chargebacks() if c.known_at_ms > NOW_MS)
    clock.now_ms = upcoming.known_at_ms - 300
    cursor = page_after(client, "", limit=5_000)["next_cursor"]
    assert page_after(client, cursor, wait_seconds=0)["chargebacks"] == []
    clock.step_ms = 50
    page = page_after(client, cursor, wait_seconds=20)
    assert [entry["id"] for entry in page["chargebacks"]] == [id_of(upcoming)]


@pytest.mark.parametrize(
    "cursor", ["nonsense", "-1:0", "5:0", "99999999:0", f"{LIVE_FROM_MINUTE - 60}:1000"]
)
def test_a_cursor_of_no_or_another_world_is_refused(client: TestClient, cursor: str) -> None:
    answer = client.get("/v1/chargebacks", params={"after": cursor})
    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"]


def test_no_other_response_reveals_which_purchases_are_fraud(client: TestClient) -> None:
    day = "2025-11-22"
    extract = client.get(f"/v1/extract/{day}", params={"page_size": 10_000}).json()
    feed = client.get("/v1/feed", params={"limit": 5_000}).json()
    both = [*extract["purchases"], *feed["events"]]
    assert fraud() & {purchase["id"] for purchase in both}
    channels = {purchase["channel"]: set[frozenset[str]]() for purchase in both}
    for purchase in both:
        if purchase["id"] not in fraud():
            channels[purchase["channel"]].add(frozenset(purchase))
    for purchase in both:
        assert frozenset(purchase) in channels[purchase["channel"]]
        assert not {"fraud", "issuer"} & set(map(str, purchase.values()))
    assert "chargebacks" not in extract.keys() | feed.keys()
