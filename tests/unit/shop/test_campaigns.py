from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import pytest

from fraudwatch.domain.features.catalogue import SMALL_AMOUNT_EUR_CENTS
from shop.breaches import PERIOD_MINUTES
from shop.campaigns.account_takeover import account_takeover, night_spree
from shop.campaigns.bulk_buying import bulk_buying
from shop.campaigns.campaign import LONGEST_CAMPAIGN_MS, Campaign, CampaignContext, CampaignPurchase
from shop.campaigns.campaign_mix import CAMPAIGN_MIX, MEAN_FRAUDS_PER_CAMPAIGN
from shop.campaigns.card_testing import card_testing, failed_payments
from shop.campaigns.cloned_card import impossible_travel
from shop.campaigns.compromised_merchant import compromised_merchant
from shop.campaigns.stolen_card import burst, stolen_card
from shop.merchants import CATEGORIES
from shop.people import Customer
from shop.places import COUNTRIES, minor_units
from shop.plan import Plan
from shop.purchases import Facts
from shop.seeded_random import SeededRandom
from shop.world import World

PLAN = Plan(
    seed=11,
    customers=400,
    history_days=5,
    history_purchases=20_000,
    live_purchases_per_second=2.0,
    chargeback_delay_days=3.0,
    live_from_minute=29_400_123,
)
KINDS = {kind.generate: kind.mean_frauds for kind in CAMPAIGN_MIX}
MAX_PIECES = max(category.max_items for category in CATEGORIES)
RUNS = 200


@cache
def world() -> World:
    return World(PLAN)


def context() -> CampaignContext:
    return world().campaign_context


def beginning(number: int) -> int:
    """All hours of the day, from the second period of the world on."""
    return (PLAN.epoch_minute + PERIOD_MINUTES + 17 * number) * 60_000


@cache
def generated(campaign: Campaign) -> list[list[CampaignPurchase]]:
    return [
        list(campaign(context(), beginning(number), SeededRandom("test", number)))
        for number in range(RUNS)
    ]


def fraud(campaign: Campaign) -> list[list[Facts]]:
    return [
        [purchase.facts for purchase in run if purchase.is_fraud] for run in generated(campaign)
    ]


def victim_of(facts: Facts) -> Customer:
    return world()._customers[int(facts["customer_id"].removeprefix("c-"))]


def eur_cents(facts: Facts) -> float:
    country = next(c for c in COUNTRIES.values() if c.currency == facts["currency"])
    return facts["amount_minor"] / minor_units(100_000, country) * 100_000


def share(runs: Sequence[list[Facts]], predicate: Callable[[list[Facts]], bool]) -> float:
    return sum(map(predicate, runs)) / len(runs)


def is_new_device(facts: Facts) -> bool:
    return facts["device_id"] not in victim_of(facts).devices


def is_delivered_elsewhere(facts: Facts) -> bool:
    return bool(facts["shipping_latitude"] != facts["billing_latitude"])


@pytest.mark.parametrize("campaign", KINDS)
def test_a_campaign_has_one_victim_bounded_time_and_its_mean_number_of_frauds(
    campaign: Campaign,
) -> None:
    for number, run in enumerate(generated(campaign)):
        times_ms = [purchase.at_ms for purchase in run]
        assert times_ms == sorted(times_ms)
        assert beginning(number) == times_ms[0]
        assert times_ms[-1] < beginning(number) + LONGEST_CAMPAIGN_MS
        assert len({purchase.facts["customer_id"] for purchase in run}) == 1
    frauds = sum(map(len, fraud(campaign))) / RUNS
    assert abs(frauds / KINDS[campaign] - 1) < 0.1


@pytest.mark.parametrize("campaign", KINDS)
def test_the_same_seed_generates_the_same_campaign_in_another_world(campaign: Campaign) -> None:
    alone = World(PLAN).campaign_context
    again = list(campaign(alone, beginning(7), SeededRandom("test", 7)))
    assert again == generated(campaign)[7]


def test_the_mix_has_every_kind_once_before_it_repeats_the_small_ones() -> None:
    assert len(KINDS) == 9
    assert {kind.generate for kind in CAMPAIGN_MIX[:9]} == set(KINDS)
    assert all(kind.mean_frauds <= 3 for kind in CAMPAIGN_MIX[9:])
    assert MEAN_FRAUDS_PER_CAMPAIGN < 3
    assert all(one is not next_ for one, next_ in pairwise(CAMPAIGN_MIX))


def test_a_stolen_card_pays_high_amounts_from_a_new_device() -> None:
    runs = fraud(stolen_card)
    assert all(is_new_device(facts) for run in runs for facts in run)
    assert share(runs, lambda run: any(eur_cents(facts) >= 100_000 for facts in run)) > 0.4


def test_a_burst_is_too_many_in_a_short_time() -> None:
    for run in fraud(burst):
        assert run[6]["event_at_ms"] - run[0]["event_at_ms"] < 600_000
        assert all(facts["payment_status"] == "approved" for facts in run)


def test_a_cloned_card_pays_on_another_continent_within_the_hour() -> None:
    for own, *copies in generated(impossible_travel):
        assert not own.is_fraud
        assert copies[0].at_ms - own.at_ms <= 55 * 60_000
        continents = {COUNTRIES[s.facts["merchant_country"]].continent for s in (own, copies[0])}
        assert len(continents) == 2
        assert all(s.facts["channel"] == "present" for s in (own, *copies))


def test_card_testing_is_small_payments_that_fail() -> None:
    for run in fraud(card_testing):
        assert len(run) >= 5
        assert all(facts["payment_status"] != "approved" for facts in run)
        assert all(eur_cents(facts) < SMALL_AMOUNT_EUR_CENTS for facts in run)


def test_failed_payments_repeat_one_basket_until_it_is_approved() -> None:
    for run in fraud(failed_payments):
        statuses = [facts["payment_status"] for facts in run]
        assert len(statuses) >= 5
        assert statuses.index("approved") == len(statuses) - 1
        assert run[-1]["event_at_ms"] - run[-4]["event_at_ms"] < 600_000
        assert len({(f["merchant_id"], f["amount_minor"], f["device_id"]) for f in run}) == 1
        assert all(eur_cents(facts) > SMALL_AMOUNT_EUR_CENTS for facts in run)


def test_an_account_takeover_has_a_new_device_a_new_address_and_high_amounts() -> None:
    for run in fraud(account_takeover):
        for facts in run:
            assert is_new_device(facts)
            assert is_delivered_elsewhere(facts)
            assert facts["email"] == victim_of(facts).online_identity["email"]
            assert eur_cents(facts) > 7.9 * victim_of(facts).usual_eur_cents


def test_usual_amounts_are_the_mean_of_a_customers_purchases() -> None:
    customer = next(c for c in world()._customers if c.home.country.currency == "EUR")
    rng, checkout = SeededRandom("usual"), context().checkout
    amounts = [
        eur_cents(checkout.ordinary(customer, beginning(0), customer.home, rng))
        for _ in range(4_000)
    ]
    assert abs(sum(amounts) / len(amounts) / customer.usual_eur_cents - 1) < 0.1


def test_a_night_spree_is_on_the_own_device_while_its_owner_sleeps() -> None:
    runs = fraud(night_spree)
    assert not any(is_new_device(facts) for run in runs for facts in run)

    def is_asleep(run: list[Facts]) -> bool:
        return victim_of(run[0]).is_asleep(run[0]["event_at_ms"] // 3_600_000 % 24)

    # Hardly any customer sleeps in the hours in which it is day in all of Europe and America.
    assert share(runs, is_asleep) > 0.85
    awake = [c.is_asleep(hour) for c in world()._customers for hour in range(24)]
    assert 0.2 < sum(awake) / len(awake) < 0.45


def test_bulk_buying_goes_abroad_in_unusual_quantities() -> None:
    for run in fraud(bulk_buying):
        for facts in run:
            assert facts["item_count"] >= 40 > MAX_PIECES
            assert facts["shipping_country"] != facts["billing_country"]
            assert is_new_device(facts)


def test_cards_of_a_compromised_merchants_customers_are_used_elsewhere_afterwards() -> None:
    breach = context().previous_breach(beginning(0))
    assert breach is not None
    assert breach.until_minute <= beginning(0) // 60_000
    customers_of_it = {
        facts["customer_id"]
        for minute in range(breach.from_minute, breach.until_minute)
        for facts in world().purchases_of_minute(minute)
        if facts["merchant_id"] == breach.merchant_id
    }
    within = (breach.until_minute + PERIOD_MINUTES) * 60_000
    victims = set()
    for run in fraud(compromised_merchant):
        if run[0]["event_at_ms"] < within:
            victims.add(run[0]["customer_id"])
            assert all(is_new_device(facts) for facts in run)
            assert breach.merchant_id not in {facts["merchant_id"] for facts in run}
    assert victims <= customers_of_it
    assert len(victims) >= 2


def test_each_period_has_its_own_breach_and_the_first_one_none() -> None:
    previous_breach = context().previous_breach
    assert previous_breach(PLAN.epoch_minute * 60_000) is None
    first, second = (
        previous_breach((PLAN.epoch_minute + n * PERIOD_MINUTES) * 60_000) for n in (1, 2)
    )
    assert first
    assert second
    assert first.until_minute == second.from_minute
    early = list(compromised_merchant(context(), PLAN.epoch_minute * 60_000, SeededRandom(1)))
    assert early == list(stolen_card(context(), PLAN.epoch_minute * 60_000, SeededRandom(1)))
