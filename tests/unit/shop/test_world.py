from __future__ import annotations

import dataclasses
import hashlib
import math
from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus, Purchase
from shop.malformed import maybe_malform
from shop.minute_cache import canonical
from shop.people import TEST_BINS, card_number_of, customer_of, newcomer_like
from shop.places import COUNTRIES
from shop.plan import Plan
from shop.world import World

LIVE_FROM_MINUTE = 29_400_123
PLAN = Plan(
    seed=11,
    customers=300,
    history_days=3,
    history_purchases=12_000,
    live_purchases_per_second=2.0,
    chargeback_delay_days=0.5,
    live_from_minute=LIVE_FROM_MINUTE,
)
HISTORY = range(PLAN.epoch_minute, LIVE_FROM_MINUTE)
LIVE_HOUR = range(LIVE_FROM_MINUTE, LIVE_FROM_MINUTE + 60)
CURRENCIES_WITH_RATES = {
    *("EUR", "GBP", "USD", "CHF", "SEK", "NOK", "DKK", "PLN"),
    *("CZK", "HUF", "JPY", "CAD", "AUD", "TRY", "BRL", "INR"),
}


@cache
def world() -> World:
    return World(PLAN)


@cache
def history() -> tuple[dict[str, Any], ...]:
    return tuple(p for minute in HISTORY for p in world().purchases_of_minute(minute))


def fraud_of(minute: int) -> frozenset[str]:
    moments = world().moments_of_minute(minute)
    return frozenset(f"{minute}-{n}" for n, (_, is_fraud) in enumerate(moments) if is_fraud)


@cache
def history_fraud() -> frozenset[str]:
    return frozenset().union(*map(fraud_of, HISTORY))


def purchase_of(message: dict[str, Any]) -> Purchase:
    enums = {
        "payment_status": PaymentStatus(message["payment_status"]),
        "channel": Channel(message["channel"]),
    }
    return Purchase(**(message | enums))


def kilometres(one: dict[str, Any], other: dict[str, Any]) -> float:
    lat1, lon1 = (math.radians(one[f"purchase_{a}"]) for a in ("latitude", "longitude"))
    lat2, lon2 = (math.radians(other[f"purchase_{a}"]) for a in ("latitude", "longitude"))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 12_742 * math.asin(math.sqrt(half))


def test_the_same_plan_gives_the_same_minutes_in_any_order_and_independently() -> None:
    minutes = [*HISTORY[::97], *LIVE_HOUR[::7]]
    minutes_read = {minute: world().purchases_of_minute(minute) for minute in minutes}
    for minute in reversed(minutes[::6]):
        alone = World(PLAN)
        assert alone.purchases_of_minute(minute) == minutes_read[minute]
        assert World(PLAN).moments_of_minute(minute) == world().moments_of_minute(minute)


def test_moments_are_those_of_the_purchases_and_mark_the_planted_ones() -> None:
    for minute in (*HISTORY[::10], *LIVE_HOUR):
        purchases = world().purchases_of_minute(minute)
        moments = world().moments_of_minute(minute)
        assert [at_ms for at_ms, _ in moments] == [p["event_at_ms"] for p in purchases]
        planted_purchases = world()._schedule.campaign_purchases_in(minute)
        fraud = [p for p, (_, is_fraud) in zip(purchases, moments, strict=True) if is_fraud]
        planted = sorted(
            (s for s in planted_purchases if s.is_fraud),
            key=lambda campaign_purchase: campaign_purchase.at_ms,
        )
        assert [{k: v for k, v in p.items() if k != "id"} for p in fraud] == [
            campaign_purchase.facts for campaign_purchase in planted
        ]


def test_another_seed_gives_another_world() -> None:
    other = World(dataclasses.replace(PLAN, seed=12))
    minute = LIVE_FROM_MINUTE + 1
    assert other.purchases_of_minute(minute) != world().purchases_of_minute(minute)


def test_a_world_is_pinned_by_a_checksum() -> None:
    # When this fails on purpose, increase plan.GENERATION: cursors of old worlds become invalid.
    minutes_read = hashlib.sha256()
    for minute in (*HISTORY[::1000], *LIVE_HOUR[::6]):
        for purchase in world().purchases_of_minute(minute):
            minutes_read.update(canonical(purchase).encode())
    assert minutes_read.hexdigest()[:16] == "97e5fd39337251ee"


def test_purchases_of_a_minute_are_in_it_in_order_and_numbered() -> None:
    for minute in (*HISTORY[::50], *LIVE_HOUR):
        purchases = world().purchases_of_minute(minute)
        times = [p["event_at_ms"] for p in purchases]
        assert times == sorted(times)
        assert all(time_ms // 60_000 == minute for time_ms in times)
        assert [p["id"] for p in purchases] == [f"{minute}-{n}" for n in range(len(purchases))]
        assert len(purchases) == world().count_of_minute(minute)


def test_nothing_happens_before_the_epoch() -> None:
    assert world().purchases_of_minute(PLAN.epoch_minute - 1) == []
    assert world().count_of_minute(PLAN.epoch_minute - 1) == 0


def test_sizes_are_those_of_the_plan() -> None:
    assert abs(len(history()) / PLAN.history_purchases - 1) < 0.04
    live = sum(world().count_of_minute(minute) for minute in LIVE_HOUR)
    assert abs(live / (60 * 120) - 1) < 0.06


def test_people_buy_by_day_and_sleep_at_night() -> None:
    by_hour = [0] * 24
    for purchase in history():
        by_hour[purchase["event_at_ms"] // 3_600_000 % 24] += 1
    assert sum(by_hour[1:5]) < 0.35 * sum(by_hour[14:18])


def test_a_sale_has_more_buyers_and_none_buys_more_often_than_before() -> None:
    genuine = [
        p for m in LIVE_HOUR for p in world().purchases_of_minute(m) if p["id"] not in fraud_of(m)
    ]
    by_customer = Counter(p["customer_id"] for p in genuine)
    a_day_before = PLAN.history_purchases / PLAN.history_days / PLAN.customers
    buyers = PLAN.live_buyers_per_customer * PLAN.customers
    assert abs(2.0 * 86_400 / buyers / a_day_before - 1) < 0.05
    assert max(by_customer.values()) < a_day_before
    regulars = sum(int(name.removeprefix("c-")) < PLAN.customers for name in by_customer)
    assert 0 < regulars < 0.1 * len(by_customer)


def test_newcomers_do_not_buy_before_the_sale() -> None:
    bought = {int(p["customer_id"].removeprefix("c-")) for p in history()}
    assert bought == set(range(PLAN.customers))


def test_a_newcomer_is_another_person_with_known_habits() -> None:
    regular = customer_of(3, 5)
    newcomers = [newcomer_like(regular, 3, 5 + crowd * 300) for crowd in (1, 2)]
    assert newcomers == [newcomer_like(regular, 3, 5 + crowd * 300) for crowd in (1, 2)]
    customers = [regular, *newcomers]
    for one in newcomers:
        assert (one.home, one.taste, one.activity) == (
            regular.home,
            regular.taste,
            regular.activity,
        )
    assert len({one.identity["card_number"] for one in customers}) == len(customers)
    assert len({device for one in customers for device in one.devices}) == sum(
        len(one.devices) for one in customers
    )
    assert len({one.online_identity["email"] for one in customers}) == len(customers)


def test_a_sale_that_is_no_busier_has_no_newcomers() -> None:
    quiet = dataclasses.replace(PLAN, live_purchases_per_second=0.01)
    assert quiet.live_buyers_per_customer == 1
    assert dataclasses.replace(PLAN, history_purchases=0).live_buyers_per_customer == 1


def test_every_purchase_is_one_that_fraudwatch_accepts() -> None:
    for message in history()[::5]:
        assert problems(purchase_of(message)) == []
        assert type(message["amount_minor"]) is int


def test_currencies_have_rates_and_most_purchases_are_european() -> None:
    assert {p["currency"] for p in history()} <= CURRENCIES_WITH_RATES
    european = [COUNTRIES[p["merchant_country"]].continent == "Europe" for p in history()]
    assert 0.75 < sum(european) / len(european) < 0.95


def test_a_counter_purchase_has_a_position_and_an_online_purchase_a_device() -> None:
    for purchase in history():
        if purchase["channel"] == "present":
            assert "purchase_latitude" in purchase
            assert not purchase.keys() & {"device_id", "ip", "shipping_country"}
        else:
            assert "purchase_latitude" not in purchase
            assert purchase.keys() >= {"device_id", "ip", "billing_country", "shipping_country"}


def test_some_payments_fail() -> None:
    refused = sum(p["payment_status"] != "approved" for p in history())
    assert 0.02 < refused / len(history()) < 0.06


def test_card_numbers_are_of_test_bins_pass_luhn_and_belong_to_one_customer() -> None:
    numbers = [card_number_of(index, TEST_BINS[0]) for index in range(2_000)]
    assert len(set(numbers)) == len(numbers)
    for number in (*numbers, customer_of(3, 5).identity["card_number"]):
        assert len(number) == 16
        assert number.startswith(TEST_BINS)
        digits = [int(d) for d in reversed(number)]
        doubled = sum(sum(divmod(2 * d, 10)) for d in digits[1::2])
        assert (sum(digits[::2]) + doubled) % 10 == 0


def test_a_customer_is_the_same_in_a_smaller_world() -> None:
    small = World(dataclasses.replace(PLAN, customers=5))
    assert small._customers == world()._customers[:5]


def test_about_one_percent_of_purchases_is_fraud_in_history_and_live() -> None:
    assert 0.005 < len(history_fraud()) / len(history()) < 0.014
    hours = range(LIVE_FROM_MINUTE, LIVE_FROM_MINUTE + 240)
    fraud = sum(map(len, map(fraud_of, hours)))
    assert 0.005 < fraud / sum(map(world().count_of_minute, hours)) < 0.014


def test_fraud_occurs_at_least_every_other_minute_of_the_sale() -> None:
    fraud = [bool(fraud_of(minute)) for minute in LIVE_HOUR]
    pairs = [a or b for a, b in pairwise(fraud)]
    assert sum(pairs) / len(pairs) > 0.75


def test_no_label_is_ever_part_of_a_purchase() -> None:
    known = {field.name for field in dataclasses.fields(Purchase)}
    assert all(purchase.keys() <= known for purchase in history())


def test_only_planted_fraud_travels_faster_than_an_airliner() -> None:
    impossible: set[tuple[str, str]] = set()
    last_of: dict[str, dict[str, Any]] = {}
    for purchase in (p for p in history() if p["channel"] == "present"):
        last, last_of[purchase["customer_id"]] = last_of.get(purchase["customer_id"]), purchase
        if last and (distance := kilometres(last, purchase)) > 50:
            hours = (purchase["event_at_ms"] - last["event_at_ms"]) / 3_600_000
            if distance / max(hours, 1e-3) > 1_000:
                # The victim's own next purchase at home looks as fast as the thief's.
                impossible.add((last["id"], purchase["id"]))
    assert impossible
    assert all(history_fraud() & set(pair) for pair in impossible)


def test_one_message_in_five_thousand_is_malformed_and_each_is_detected() -> None:
    template = history()[0]
    sent = [maybe_malform(template | {"id": f"1-{n}"}, 11) for n in range(100_000)]
    malformed = [m for m in sent if {**m, "id": ""} != {**template, "id": ""}]
    assert 8 <= len(malformed) <= 40
    missing = [m for m in malformed if "amount_minor" not in m]
    unknown = [m for m in malformed if m["currency"] == "XXX"]
    refused = [m for m in malformed if m not in missing and problems(purchase_of(m))]
    assert len(missing) + len(unknown) + len(refused) == len(malformed)
    assert missing
    assert unknown
    assert {p.field for m in refused for p in problems(purchase_of(m))} == {
        "amount_minor",
        "merchant_id",
    }
