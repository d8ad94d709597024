"""Generate ordinary purchases, at a counter and online.

A field that a real shop would not know (a position online, a device at a counter) is left out
rather than invented.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from shop.merchants import CATEGORY, Category, Market, Merchant
from shop.people import Customer
from shop.places import CITIES_OF, City, minor_units
from shop.seeded_random import SeededRandom

SOURCE = "shop"
APPROVED_SHARE, DECLINED_SHARE = 0.965, 0.025
USUAL_MERCHANT_SHARE = 0.8
HOME_COUNTRY_SHARE = 0.85
GIFT_SHARE = 0.06
MAIN_DEVICE_SHARE = 0.7

# The fields of a purchase without its id, which is assigned when the minute is complete.
Facts = dict[str, Any]


class CheckoutSampler:
    """Draw ordinary purchases in one market."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def ordinary(
        self, customer: Customer, at_ms: int, where: City | None, rng: SeededRandom
    ) -> Facts:
        """Draw a usual purchase of this customer; ``where`` None: travelling, so online."""
        categories, shares = customer.taste
        category = categories[min(bisect_left(shares, rng.random()), len(categories) - 1)]
        if where is None:
            return self.online(customer, at_ms, CATEGORY["digital"], rng)
        if rng.happens(category.in_person_share):
            return self.in_person(customer, at_ms, category, where, rng)
        return self.online(customer, at_ms, category, rng)

    def in_person(
        self, customer: Customer, at_ms: int, category: Category, where: City, rng: SeededRandom
    ) -> Facts:
        """Draw a card-present purchase at a counter of this city."""
        merchant = _chosen(self._market.counters(where, category), customer, rng)
        return {
            **_sale(customer, at_ms, merchant, rng),
            "channel": "present",
            "purchase_latitude": merchant.latitude,
            "purchase_longitude": merchant.longitude,
        }

    def online(
        self, customer: Customer, at_ms: int, category: Category, rng: SeededRandom
    ) -> Facts:
        """Draw an online purchase, from a device and network of the customer."""
        country = customer.home.country
        if not rng.happens(HOME_COUNTRY_SHARE):
            country = rng.choice(_NEIGHBOURS).country
        merchant = _chosen(self._market.web_shops(country, category), customer, rng)
        devices = customer.devices
        device = devices[0] if rng.happens(MAIN_DEVICE_SHARE) else rng.choice(devices)
        facts = {
            **_sale(customer, at_ms, merchant, rng),
            **customer.online_identity,
            "channel": "not_present",
            "device_id": device,
        }
        if rng.happens(GIFT_SHARE):
            return facts | delivery_to(rng.choice(CITIES_OF[customer.home.country.code]))
        return facts | {
            "shipping_country": facts["billing_country"],
            "shipping_latitude": facts["billing_latitude"],
            "shipping_longitude": facts["billing_longitude"],
        }


def delivery_to(city: City) -> Facts:
    """Return the delivery address of goods that go to this city."""
    return {
        "shipping_country": city.country.code,
        "shipping_latitude": city.latitude,
        "shipping_longitude": city.longitude,
    }


# Countries with web shops that foreign customers order from.
_NEIGHBOURS = tuple(CITIES_OF[code][0] for code in ("DE", "FR", "IT", "ES", "NL", "GB", "US"))


def _chosen(merchants: tuple[Merchant, ...], customer: Customer, rng: SeededRandom) -> Merchant:
    if rng.happens(USUAL_MERCHANT_SHARE):
        return merchants[customer.habit % len(merchants)]
    return rng.choice(merchants)


def _sale(customer: Customer, at_ms: int, merchant: Merchant, rng: SeededRandom) -> Facts:
    category = merchant.category
    worth_eur_cents = rng.log_normal(category.median_eur_cents * customer.level, category.sigma)
    return {
        "source": SOURCE,
        "event_at_ms": at_ms,
        **customer.identity,
        "amount_minor": minor_units(worth_eur_cents, merchant.country),
        "currency": merchant.country.currency,
        "payment_status": _payment_status(rng.random()),
        "merchant_id": merchant.merchant_id,
        "merchant_country": merchant.country.code,
        "category": category.name,
        "item_count": rng.integer(1, category.max_items),
    }


def _payment_status(share: float) -> str:
    if share < APPROVED_SHARE:
        return "approved"
    return "declined" if share < APPROVED_SHARE + DECLINED_SHARE else "failed"
