"""Oracle of the fold: a customer's features from everything that was accepted of them before.

It shares no code with the fold and keeps no state but the list of past events.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES, WINDOWS
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS

Position = tuple[float, float]
START_MS = 1_795_262_400_000
PRODUCED_MS = START_MS + 100 * DAY_MS
UNKNOWN_PLACE = (math.nan, math.nan)
NO_PLACE = (0.0, 0.0)
KNOWN_SLOTS = {"merchant": 32, "device": 8, "country": 8, "category": 8}
PLURALS = {"merchant": "merchants", "device": "devices", "country": "countries"}


@dataclass(frozen=True)
class Event:
    customer: int
    transaction: int
    at_ms: int
    amount_eur_cents: int = 100
    is_approved: bool = True
    is_present: bool = True
    position: Position = UNKNOWN_PLACE
    billing: Position = UNKNOWN_PLACE
    shipping: Position = UNKNOWN_PLACE
    item_count: float = math.nan
    category: int = 0
    merchant: int = 0
    device: int = 0
    country: int = 0
    produced_at_ms: int = PRODUCED_MS

    @property
    def is_located(self) -> bool:
        return self.is_present and is_place(self.position)


class Used(NamedTuple):
    key: int
    latest_ms: int
    times: int


def is_place(position: Position) -> bool:
    return position != NO_PLACE and not any(math.isnan(degrees) for degrees in position)


def events_of(listed: list[Event]) -> Events:
    return Events(
        customer_key=np.array([e.customer for e in listed], dtype=np.uint64),
        transaction_key=np.array([e.transaction for e in listed], dtype=np.uint64),
        event_at_ms=np.array([e.at_ms for e in listed], dtype=np.int64),
        produced_at_ms=np.array([e.produced_at_ms for e in listed], dtype=np.int64),
        amount_eur_cents=np.array([e.amount_eur_cents for e in listed], dtype=np.int64),
        is_approved=np.array([e.is_approved for e in listed], dtype=np.bool_),
        is_present=np.array([e.is_present for e in listed], dtype=np.bool_),
        latitude=np.array([e.position[0] for e in listed], dtype=np.float64),
        longitude=np.array([e.position[1] for e in listed], dtype=np.float64),
        billing_latitude=np.array([e.billing[0] for e in listed], dtype=np.float64),
        billing_longitude=np.array([e.billing[1] for e in listed], dtype=np.float64),
        shipping_latitude=np.array([e.shipping[0] for e in listed], dtype=np.float64),
        shipping_longitude=np.array([e.shipping[1] for e in listed], dtype=np.float64),
        item_count=np.array([e.item_count for e in listed], dtype=np.float64),
        category_key=np.array([e.category for e in listed], dtype=np.uint64),
        merchant_key=np.array([e.merchant for e in listed], dtype=np.uint64),
        device_key=np.array([e.device for e in listed], dtype=np.uint64),
        country_key=np.array([e.country for e in listed], dtype=np.uint64),
    )


def by_brute_force(events: list[Event]) -> tuple[npt.NDArray[np.float64], list[bool]]:
    """Return every event's features, and whether it is a repeat."""
    vectors = np.full((len(events), len(FEATURES)), np.nan)
    repeats: list[bool] = []
    accepted: dict[int, list[Event]] = {}
    for vector, event in zip(vectors, events, strict=True):
        past = accepted.setdefault(event.customer, [])
        if past and event.produced_at_ms - past[-1].produced_at_ms > 60 * DAY_MS:
            past.clear()
        repeats.append(event.transaction in {one.transaction for one in past[-64:]})
        newest_ms = max((one.at_ms for one in past), default=event.at_ms)
        if repeats[-1] or event.at_ms < newest_ms - 30 * DAY_MS:
            continue
        _fill(vector, event, past)
        past.append(event)
    return vectors, repeats


def _fill(vector: npt.NDArray[np.float64], event: Event, past: list[Event]) -> None:
    _fill_windows(vector, event, past)
    _fill_amounts(vector, event, [one.amount_eur_cents for one in past if one.is_approved])
    _fill_habits(vector, event, [one for one in past if one.is_approved])
    _fill_alone(vector, event)
    _fill_place(vector, event, past)
    newest_ms = max((one.at_ms for one in past), default=math.inf)
    if event.at_ms >= newest_ms:
        vector[FEATURE_INDEX["since_last_seconds"]] = (event.at_ms - newest_ms) / 1000


def _fill_windows(vector: npt.NDArray[np.float64], event: Event, past: list[Event]) -> None:
    for window in WINDOWS:
        tiles = [one.at_ms // window.tile_ms for one in past]
        own = event.at_ms // window.tile_ms
        kept_from = max(tiles, default=own) - window.tiles
        if any(own - window.tiles <= tile < kept_from for tile in tiles):
            continue
        inside = [
            one for one, tile in zip(past, tiles, strict=True) if own - window.tiles <= tile <= own
        ]
        bought = [one.amount_eur_cents for one in inside if one.is_approved]
        vector[FEATURE_INDEX[f"purchase_count_{window.name}"]] = len(bought)
        vector[FEATURE_INDEX[f"spend_{window.name}_eur_cents"]] = sum(bought)
        vector[FEATURE_INDEX[f"failed_count_{window.name}"]] = len(inside) - len(bought)
        small = sum(one.amount_eur_cents < 500 for one in inside)
        vector[FEATURE_INDEX[f"small_count_{window.name}"]] = small
        large = sum(_is_large(past, one) for one in inside)
        vector[FEATURE_INDEX[f"large_count_{window.name}"]] = large
        if window.name == "30d":
            days = {one.at_ms // DAY_MS for one in inside if one.is_approved}
            vector[FEATURE_INDEX["purchase_days_30d"]] = len(days)


def _usual(amounts: list[int]) -> float:
    usual = 0.0
    for count, amount in enumerate(amounts):
        bound = 3 * usual if count >= 3 and usual > 0 else math.inf
        usual += (min(amount, bound) - usual) / (count + 1)
    return usual


def _is_large(past: list[Event], event: Event) -> bool:
    before = itertools.takewhile(lambda one: one is not event, past)
    bought = [one.amount_eur_cents for one in before if one.is_approved]
    return len(bought) >= 3 and event.amount_eur_cents > 3 * _usual(bought) > 0


def _fill_amounts(vector: npt.NDArray[np.float64], event: Event, amounts: list[int]) -> None:
    if not amounts:
        return
    usual = vector[FEATURE_INDEX["own_usual_amount_eur_cents"]] = _usual(amounts)
    if usual > 0:
        vector[FEATURE_INDEX["amount_over_own_usual_ratio"]] = event.amount_eur_cents / usual
    mean = vector[FEATURE_INDEX["own_amount_mean_eur_cents"]] = sum(amounts) / len(amounts)
    if mean > 0:
        vector[FEATURE_INDEX["amount_over_own_mean_ratio"]] = event.amount_eur_cents / mean
    if len(amounts) > 1:
        deviation = np.std(np.array(amounts, dtype=np.longdouble), ddof=1)
        vector[FEATURE_INDEX["own_amount_deviation_eur_cents"]] = deviation


def _fill_habits(vector: npt.NDArray[np.float64], event: Event, bought: list[Event]) -> None:
    if bought:
        newest_ms = max(event.at_ms, *(one.at_ms for one in bought))
        hours = np.zeros(24)
        for one in bought:
            hours[one.at_ms // HOUR_MS % 24] += 0.5 ** ((newest_ms - one.at_ms) / (30 * DAY_MS))
        share = hours[event.at_ms // HOUR_MS % 24] / hours.sum()
        vector[FEATURE_INDEX["own_hour_share_ratio"]] = share
    categories = _used(bought, "category")
    if categories and event.category:
        mine = sum(one.times for one in categories if one.key == event.category)
        share = mine / sum(one.times for one in categories)
        vector[FEATURE_INDEX["category_share_ratio"]] = share
    for kind, plural in PLURALS.items():
        known = {one.key for one in _used(bought, kind)}
        vector[FEATURE_INDEX[f"known_{plural}_count"]] = len(known)
        if known and getattr(event, kind):
            vector[FEATURE_INDEX[f"is_new_{kind}"]] = getattr(event, kind) not in known


def _used(bought: list[Event], kind: str) -> list[Used]:
    """List the merchants, say, that are known after these purchases."""
    slots: list[Used] = []
    for event in bought:
        key = getattr(event, kind)
        places = [place for place, one in enumerate(slots) if one.key == key]
        if key and places:
            old = slots[places[0]]
            slots[places[0]] = Used(key, max(old.latest_ms, event.at_ms), old.times + 1)
        elif key and len(slots) < KNOWN_SLOTS[kind]:
            slots.append(Used(key, event.at_ms, 1))
        elif key:
            oldest = min(slots, key=lambda one: one.latest_ms)
            if oldest.latest_ms <= event.at_ms:
                slots[slots.index(oldest)] = Used(key, event.at_ms, 1)
    return slots


def _fill_place(vector: npt.NDArray[np.float64], event: Event, past: list[Event]) -> None:
    last: Event | None = None
    for one in past:
        if one.is_located and one.is_approved and (last is None or one.at_ms >= last.at_ms):
            last = one
    if last is None or event.at_ms < last.at_ms:
        return
    seconds = (event.at_ms - last.at_ms) / 1000
    vector[FEATURE_INDEX["since_located_seconds"]] = seconds
    if event.is_located:
        km = _chord_km(last.position, event.position)
        vector[FEATURE_INDEX["from_located_km"]] = km
        vector[FEATURE_INDEX["from_located_kmh"]] = km * 3600 / max(seconds, 60)


def _fill_alone(vector: npt.NDArray[np.float64], event: Event) -> None:
    at = datetime.fromtimestamp(event.at_ms / 1000, UTC)
    vector[FEATURE_INDEX["item_count"]] = event.item_count
    vector[FEATURE_INDEX["amount_eur_cents"]] = event.amount_eur_cents
    vector[FEATURE_INDEX["hour_of_day"]] = at.hour
    vector[FEATURE_INDEX["day_of_week"]] = at.weekday()
    if is_place(event.billing) and is_place(event.shipping):
        km = _chord_km(event.billing, event.shipping)
        vector[FEATURE_INDEX["billing_to_shipping_km"]] = km


def _chord_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance by the angle between two unit vectors: another way than the fold's."""
    vectors = []
    for latitude, longitude in (a, b):
        p, q = math.radians(latitude), math.radians(longitude)
        vectors.append(
            np.array([math.cos(p) * math.cos(q), math.cos(p) * math.sin(q), math.sin(p)])
        )
    chord = float(np.linalg.norm(vectors[0] - vectors[1]))
    return 2 * 6371.0088 * math.asin(min(1.0, chord / 2))
