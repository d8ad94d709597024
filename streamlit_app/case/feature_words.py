"""Names and values of features as texts, in readable units.

Meanings come from the catalogues; the end of a feature's name is its unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX

UNKNOWN_VALUE: Final = "unknown"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Where the feature's own name does not say what it is measured from.
_NAMES: Final = {
    "since_last_seconds": "Time since the last purchase",
    "since_located_seconds": "Time since the last known place",
    "from_located_km": "Distance from the last known place",
    "from_located_kmh": "Speed from the last known place",
    "amount_over_own_mean_ratio": "Amount over own mean",
    "own_hour_share_ratio": "Share of purchases in this hour",
    "category_share_ratio": "Share of purchases in this category",
    "billing_to_shipping_km": "Billing to delivery address",
    "merchant_fraud_ratio_30d": "Merchant's share of fraud in 30 days",
    "merchant_purchases_30d": "Merchant's purchases in 30 days",
    "merchant_customers_30d": "Merchant's customers in 30 days",
    "merchant_plain_frauds_7d": "Merchant's frauds of normal amounts, 7 days",
    "merchant_plain_frauds_14d": "Merchant's frauds of normal amounts, 14 days",
    "merchant_plain_frauds_28d": "Merchant's frauds of normal amounts, 28 days",
    "merchant_plain_fraud_age_days": "Time since the merchant's last fraud of a normal amount",
    "merchant_genuine_age_days": "Time since the merchant's last genuine purchase",
    "merchant_fraud_run_age_days": "Merchant's current run of fraud",
    "device_customers_30d": "Customers on this device in 30 days",
    "ip_network_customers_30d": "Customers in this network in 30 days",
    "customer_account_age_days": "Age of the customer account",
}
_UNITS = re.compile(r"_(eur_cents|seconds|kmh|km|ratio)$")
_WINDOW = re.compile(r"\b(\d+)(m|h|d)$")
_WINDOW_WORDS = {"m": "min", "h": "h", "d": "days"}
_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0


def feature_name(feature: str) -> str:
    """Name of a feature as text: ``spend_1h_eur_cents`` is "Spend in 1 h"."""
    if feature in _NAMES:
        return _NAMES[feature]
    words = _UNITS.sub("", feature).removeprefix("is_").replace("_", " ")
    windowed = _WINDOW.sub(lambda w: f"in {w[1]} {_WINDOW_WORDS[w[2]]}", words)
    return windowed[:1].upper() + windowed[1:].replace("in 1 days", "in 1 day")


def feature_meaning(feature: str) -> str:
    """Meaning of a feature from the catalogue, if it still has the feature."""
    place = VECTOR_INDEX.get(feature)
    return "no longer in the catalogue" if place is None else VECTOR_FEATURES[place].meaning


def feature_value(feature: str, value: float | None) -> str:
    """Value in the unit that the feature's name ends in."""
    if value is None or value != value:  # noqa: PLR0124  NaN is unknown as well
        return UNKNOWN_VALUE
    for ending, format_value in _FORMATS:
        if re.search(ending, feature):
            return format_value(value)
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def duration_text(seconds: float) -> str:
    """Duration as text: ``45 s``, ``12 min``, ``3 h 20 min``, ``4.5 days``."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < _DAY:
        hours, rest = divmod(round(seconds / _MINUTE), 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{seconds / _DAY:.1f} days"


def _weekday(value: float) -> str:
    return _WEEKDAYS[round(value) % len(_WEEKDAYS)]


_FORMATS: Final[tuple[tuple[str, Callable[[float], str]], ...]] = (
    (r"_eur_cents$", lambda value: f"{value / 100:,.2f} EUR"),
    (r"_seconds$", duration_text),
    (r"_kmh$", lambda value: f"{value:,.0f} km/h"),
    (r"_km$", lambda value: f"{value:,.0f} km"),
    (r"_age_days$", lambda value: duration_text(value * _DAY)),
    (r"_(share_ratio|fraud_ratio_30d)$", lambda value: f"{100 * value:.1f} %"),
    (r"_ratio$", lambda value: f"{100 * value:,.0f} %"),
    (r"^is_", lambda value: "yes" if value >= 0.5 else "no"),  # noqa: PLR2004  a flag's middle
    (r"^hour_of_day$", lambda value: f"{int(value):02d}:00"),
    (r"^day_of_week$", _weekday),
)
