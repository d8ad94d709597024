"""The one list of features: name with unit and window, meaning, and its place in the vector.

Window semantics, for every feature that has one:

* Time is the event's own. A late event counts at its customer's last time, never before it.
* A window is its whole tiles plus the current one: "1h" is the last 12 full tiles of five minutes
  and the begun one, so it covers between 60 and 65 minutes. Tiles start at multiples of their
  length since the epoch (UTC). Training, replay and the oracle use the same tiles.
* Features are read before the purchase itself is added.
* A repeated transaction id (among the customer's last 64) is neither folded nor judged again.
* Amounts are integer euro cents; unknown is NaN, never zero. A count of nothing is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Window:
    """A span of whole tiles plus the current one."""

    name: str
    tile_ms: int
    tiles: int


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of the vector: its name carries unit and window."""

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
    *(Feature(f"failed_count_{w.name}", f"declined or failed attempts, {w.name}") for w in WINDOWS),
    Feature("since_last_seconds", "time since the customer's last event of any kind"),
    Feature("since_located_seconds", "time since the last card-present event with a position"),
    Feature("from_located_km", "great-circle distance from that position"),
    Feature(
        "from_located_kmh", "that distance over that time, the time taken as a minute at least"
    ),
)

FEATURE_INDEX: Final = {feature.name: place for place, feature in enumerate(FEATURES)}
