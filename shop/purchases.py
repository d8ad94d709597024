"""What an ordinary purchase looks like, at a counter and over the internet.

A fact that a real shop would not know (a position over the internet, a device at a counter) is
left out rather than invented.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from shop.merchants import CATEGORY, Category, Market, Merchant
from shop.people import Customer
from shop.places import CITIES_OF, City, minor_units
from shop.seeded_random import Chance

SOURCE = "shop"
APPROVED_SHARE, DECLINED_SHARE = 0.965, 0.025
USUAL_MERCHANT_SHARE = 0.8
HOME_COUNTRY_SHARE = 0.85
GIFT_SHARE = 0.06
MAIN_DEVICE_SHARE = 0.7

# What a purchase says, without its id, which is given when the minute is complete.
Facts = dict[str, Any]


class Till:
    """Rings up ordinary purchases in one market."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def ordinary(self, customer: Customer, at_ms: int, where: City | None, chance: Chance) -> Facts:
        """A purchase as this customer makes them; ``where`` None means on the way, so online."""
        categories, shares = customer.taste
        category = categories[min(bisect_left(shares, chance.share()), len(categories) - 1)]
        if where is None:
            return self.online(customer, at_ms, CATEGORY["digital"], chance)
        if chance.happens(category.in_person_share):
            return self.in_person(customer, at_ms, category, where, chance)
        return self.online(customer, at_ms, category, chance)

    def in_person(
        self, customer: Customer, at_ms: int, category: Category, where: City, chance: Chance
    ) -> Facts:
        """At a counter of this city, card in hand."""
        merchant = _chosen(self._market.counters(where, category), customer, chance)
        return {
            **_sale(customer, at_ms, merchant, chance),
            "channel": "present",
            "purchase_latitude": merchant.latitude,
            "purchase_longitude": merchant.longitude,
        }

    def online(self, customer: Customer, at_ms: int, category: Category, chance: Chance) -> Facts:
        """Over the internet, from a device and network of their own."""
        country = customer.home.country
        if not chance.happens(HOME_COUNTRY_SHARE):
            country = chance.among(_NEIGHBOURS).country
        merchant = _chosen(self._market.web_shops(country, category), customer, chance)
        devices = customer.devices
        device = devices[0] if chance.happens(MAIN_DEVICE_SHARE) else chance.among(devices)
        facts = {
            **_sale(customer, at_ms, merchant, chance),
            **customer.online_identity,
            "channel": "not_present",
            "device_id": device,
        }
        if chance.happens(GIFT_SHARE):
            return facts | delivery_to(chance.among(CITIES_OF[customer.home.country.code]))
        return facts | {
            "shipping_country": facts["billing_country"],
            "shipping_latitude": facts["billing_latitude"],
            "shipping_longitude": facts["billing_longitude"],
        }


def delivery_to(city: City) -> Facts:
    """The delivery address of goods that go to this city."""
    return {
        "shipping_country": city.country.code,
        "shipping_latitude": city.latitude,
        "shipping_longitude": city.longitude,
    }


# Web shops abroad that people order from: the large countries of their own continent, mostly.
_NEIGHBOURS = tuple(CITIES_OF[code][0] for code in ("DE", "FR", "IT", "ES", "NL", "GB", "US"))


def _chosen(merchants: tuple[Merchant, ...], customer: Customer, chance: Chance) -> Merchant:
    if chance.happens(USUAL_MERCHANT_SHARE):
        return merchants[customer.habit % len(merchants)]
    return chance.among(merchants)


def _sale(customer: Customer, at_ms: int, merchant: Merchant, chance: Chance) -> Facts:
    category = merchant.category
    worth_eur_cents = chance.log_normal(category.median_eur_cents * customer.level, category.sigma)
    return {
        "source": SOURCE,
        "event_at_ms": at_ms,
        **customer.identity,
        "amount_minor": minor_units(worth_eur_cents, merchant.country),
        "currency": merchant.country.currency,
        "payment_status": _payment_status(chance.share()),
        "merchant_id": merchant.merchant_id,
        "merchant_country": merchant.country.code,
        "category": category.name,
        "item_count": chance.whole(1, category.most_items),
    }


def _payment_status(share: float) -> str:
    if share < APPROVED_SHARE:
        return "approved"
    return "declined" if share < APPROVED_SHARE + DECLINED_SHARE else "failed"
