"""List all risk-view features: their entity, meaning, and the time limits that apply to them.

A view is built from everything before the end of an hour, and from no label that came later.

* An entity that is not in a view is unknown, NaN and never zero; so is everything where no view is
  valid.
* "30d" are the 30 days before the end of the hour. The fraud ratio's 30 days end the label delay
  earlier: a younger purchase without a label may still turn out to be fraud.
* Of a purchase, the label in effect at the end of the hour counts: the latest label of each
  source, unsure ones left out, of two sources the later one.
* A known fraud is plain if its amount is not unusual: at most UNUSUAL_TIMES_MEDIAN the median of
  the customer's approved amounts in the 30 days before it, or there are none. A stolen card is
  emptied by large amounts; frauds of usual amounts are evidence about the merchant instead.
* Frauds and genuine purchases at a merchant are approved ones of the ratio's 30 days. A purchase
  is genuine if it has no fraud label by then.
* Terminals are merchants here: the transaction names the merchant, and the public benchmark's
  terminals are imported as its merchants.

Raise VIEWS_VERSION with every change of what a column means or of how names are hashed: views of
another version are refused. Names in the code, comments and docstrings are free.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.features.catalogue import Feature
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS

VIEWS_VERSION: Final = 1
WINDOW_MS: Final = 30 * DAY_MS
# Prior of a merchant's fraud ratio: this many purchases at the ratio of all merchants.
SMOOTHING_PURCHASES: Final = 20
UNUSUAL_TIMES_MEDIAN: Final = 2
PLAIN_FRAUD_DAYS: Final = (7, 14, 28)
# Archiving and building take a while; a view is valid from then on, however early it was built.
VALID_AFTER_MS: Final = 15 * MINUTE_MS
# A purchase of a later time than this after the newest view is scored without a view.
VALID_FOR_MS: Final = 48 * HOUR_MS
# Two days of hourly views and the one that is about to be valid.
KEPT_VIEWS: Final = 49
KEPT_MS: Final = KEPT_VIEWS * HOUR_MS


class Entity(enum.StrEnum):
    """Kind of entity in a view; the value is the transaction's field that names it."""

    MERCHANT = "merchant_id"
    DEVICE = "device_token"
    IP_NETWORK = "ip_network_token"
    CUSTOMER = "customer_token"


@dataclass(frozen=True, slots=True)
class ViewFeature(Feature):
    """One number that a view adds to the vector.

    ``view_column`` is its column in the view; for an age, the view stores the start instant.
    """

    entity: Entity
    since: str = ""

    @property
    def view_column(self) -> str:
        """Return the name of the view's column."""
        return self.since or self.name


VIEW_FEATURES: Final = (
    ViewFeature(
        "merchant_fraud_ratio_30d",
        "frauds among the merchant's approved purchases in 30d that are old enough to be labelled, "
        "smoothed towards the share of all merchants",
        Entity.MERCHANT,
    ),
    ViewFeature(
        "merchant_purchases_30d", "approved purchases at the merchant in 30d", Entity.MERCHANT
    ),
    ViewFeature(
        "merchant_customers_30d",
        "customers who tried to buy at the merchant in 30d",
        Entity.MERCHANT,
    ),
    ViewFeature(
        "device_customers_30d", "customers who tried to buy from the device in 30d", Entity.DEVICE
    ),
    ViewFeature(
        "ip_network_customers_30d",
        "customers who tried to buy from the IP network in 30d",
        Entity.IP_NETWORK,
    ),
    ViewFeature(
        "customer_account_age_days",
        "days since the customer's first purchase in the lake",
        Entity.CUSTOMER,
        since="customer_first_seen_ms",
    ),
    *(
        ViewFeature(
            f"merchant_plain_frauds_{days}d",
            f"plain frauds at the merchant in the last {days} of those days",
            Entity.MERCHANT,
        )
        for days in PLAIN_FRAUD_DAYS
    ),
    ViewFeature(
        "merchant_plain_fraud_age_days",
        "days since the merchant's last known plain fraud",
        Entity.MERCHANT,
        since="merchant_plain_fraud_ms",
    ),
    ViewFeature(
        "merchant_genuine_age_days",
        "days since the merchant's last genuine purchase",
        Entity.MERCHANT,
        since="merchant_genuine_ms",
    ),
    ViewFeature(
        "merchant_fraud_run_age_days",
        "days since the merchant's first plain fraud after its last genuine purchase",
        Entity.MERCHANT,
        since="merchant_fraud_run_ms",
    ),
)


def view_columns(entity: Entity) -> tuple[str, ...]:
    """Return the columns of an entity's table in a view, in the catalogue's order."""
    return tuple(one.view_column for one in VIEW_FEATURES if one.entity is entity)


def views_version() -> str:
    """Return the version of the view columns: equal versions, equal meaning of equal rows."""
    return str(VIEWS_VERSION)
