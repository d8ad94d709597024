"""List all features of the fold: name with unit and window, meaning, and index in the vector.

Window semantics, for every feature that has one:

* Windows are in event time. A window is its whole tiles plus the current one: "1h" is the last 12
  full tiles of five minutes and the current one, so it covers between 60 and 65 minutes. Tiles
  start at multiples of their length since the epoch (UTC). Training, replay and the oracle use the
  same tiles.
* Features are read before the purchase itself is added; those of the purchase alone are marked.
* A late event is older than its customer's last one. Its windows end with its own tile, so of later
  events they hold at most those of the same tile; a window is unknown if an event may be missing
  from it because its tile is no longer kept (a window's current tile and the ``tiles`` before it
  are, counted from the customer's last event). ``since_last_seconds`` is unknown, and the last
  event's time stays.
* The last place is that of the newest approved card-present event with a position, and its time is
  that event's own. A payment that the bank declined has its distance computed and moves nothing;
  our own outcome plays no part. For an event older than the last place, the place is unknown.
* A position of exactly 0, 0 is unknown.
* A repeated transaction id (among the customer's last 64) is neither folded nor scored again.
* An event older than 30 days before its customer's last is too late: dead-lettered, not folded.
* A customer whose last accepted message was produced over 60 days before this one begins anew, as
  if never known. This is Kafka's time, so it depends on the log alone, and a wrong clock of a shop
  ends no history.
* Amounts are integer euro cents; unknown is NaN, never zero. A count of nothing is zero.
* A count of one tile stays at 65,535, the count of a category's purchases at 1,048,575. Sums of
  amounts are exact.
* Known merchants, devices, countries and categories have a fixed number of slots; when they are
  full, the least recently used one is replaced. So "new" means: not in any slot. Used is by event
  time: a late event makes none look older, and adds none that is older than all in full slots.
* Habits of the amount are in order of arrival: late events count as they come.
* The usual amount is the mean of the approved ones so far, each capped at three times the usual
  amount before it: an outlier hardly moves it, a new habit does in time. An amount above the cap is
  large. There is no cap before the fourth approved purchase.
* Hours and weekdays are UTC, because no transaction names a time zone. Habits of the hour fade: the
  weight of an event halves in 30 days, and a late one adds what is left of its own.

Raise FEATURES_VERSION with every change that can change a byte of a feature vector or of the state:
snapshots, models and archived vectors of another version are refused. Names, comments and
docstrings are free; ``tests/unit/domain/features/test_feature_versions.py`` fails on the first kind
only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS

FEATURES_VERSION: Final = 2
TOO_LATE_MS: Final = 30 * DAY_MS
BEGINS_ANEW_MS: Final = 60 * DAY_MS
# Cards are tested with amounts too small to be noticed.
SMALL_AMOUNT_EUR_CENTS: Final = 500
# A stolen card is emptied by amounts unlike its owner's.
LARGE_TIMES_USUAL: Final = 3
# Fewer purchases are no baseline.
USUAL_FROM_PURCHASES: Final = 3
# Counts stay there: what the state stores of them has 16 and 20 bits.
MAX_COUNT_OF_TILE: Final = (1 << 16) - 1
MAX_CATEGORY_COUNT: Final = (1 << 20) - 1


@dataclass(frozen=True, slots=True)
class Window:
    """Time window of whole tiles plus the current one."""

    name: str
    tile_ms: int
    tiles: int


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of the feature vector; its name carries unit and window."""

    name: str
    meaning: str


WINDOWS: Final = (
    Window("10m", MINUTE_MS, 10),
    Window("1h", 5 * MINUTE_MS, 12),
    Window("1d", HOUR_MS, 24),
    Window("7d", 6 * HOUR_MS, 28),
    Window("30d", DAY_MS, 30),
)

FEATURES: Final = (
    *(Feature(f"purchase_count_{w.name}", f"approved purchases in {w.name}") for w in WINDOWS),
    *(Feature(f"spend_{w.name}_eur_cents", f"approved amounts in {w.name}") for w in WINDOWS),
    Feature("purchase_days_30d", "days (UTC) with an approved purchase in 30d"),
    *(Feature(f"failed_count_{w.name}", f"declined or failed attempts, {w.name}") for w in WINDOWS),
    *(Feature(f"small_count_{w.name}", f"attempts below 5 EUR, {w.name}") for w in WINDOWS),
    Feature("since_last_seconds", "time since the customer's last event of any kind"),
    Feature("since_located_seconds", "time since the last place: approved, card present"),
    Feature("from_located_km", "great-circle distance from that place"),
    Feature("from_located_kmh", "that distance over that time, which counts as a minute at least"),
    Feature("own_amount_mean_eur_cents", "mean of the customer's approved amounts so far"),
    Feature("own_amount_deviation_eur_cents", "their standard deviation (sample), from two on"),
    Feature("amount_over_own_mean_ratio", "this amount over that mean"),
    Feature("own_hour_share_ratio", "faded share of the customer's events in this hour of day"),
    Feature("category_share_ratio", "share of this category among the customer's known ones"),
    Feature("is_new_merchant", "1 if not among the customer's last 32 merchants"),
    Feature("is_new_device", "1 if not among the customer's last 8 devices"),
    Feature("is_new_country", "1 if not among the customer's last 8 countries of sellers"),
    Feature("known_merchants_count", "merchants known of the customer, at most 32"),
    Feature("known_devices_count", "devices known of the customer, at most 8"),
    Feature("known_countries_count", "countries of sellers known of the customer, at most 8"),
    Feature("billing_to_shipping_km", "of the purchase alone: between its two addresses"),
    Feature("item_count", "of the purchase alone: pieces bought"),
    Feature("amount_eur_cents", "of the purchase alone: its amount"),
    Feature("hour_of_day", "of the purchase alone: 0 to 23, UTC"),
    Feature("day_of_week", "of the purchase alone: 0 Monday to 6 Sunday, UTC"),
    *(Feature(f"large_count_{w.name}", f"attempts of large amounts, {w.name}") for w in WINDOWS),
    Feature("own_usual_amount_eur_cents", "the customer's usual amount so far"),
    Feature("amount_over_own_usual_ratio", "this amount over that"),
)

FEATURE_INDEX: Final = {feature.name: index for index, feature in enumerate(FEATURES)}
