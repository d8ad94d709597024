"""When planted campaigns begin: one per slot of time, so that a share of purchases is fraud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from shop.campaigns.campaign import LONGEST_CAMPAIGN_MS, Scene, Strike
from shop.campaigns.campaign_mix import DECK, MEAN_FRAUDS_PER_CAMPAIGN
from shop.plan import MINUTE_MS, Plan
from shop.seeded_random import Chance

FRAUD_SHARE = 0.0095
# More slots than the calendar has milliseconds.
_WITHOUT_END = 10**15


@dataclass(frozen=True, slots=True)
class Era:
    """A time of one campaign every ``slot_ms``: history and the live time have their own."""

    name: str
    begins_ms: int
    slots: int
    slot_ms: float

    def slots_between(self, from_ms: int, until_ms: int) -> range:
        """The slots whose campaign may begin in [from, until)."""
        first = int(max(0, from_ms - self.begins_ms) / self.slot_ms)
        last = int((until_ms - self.begins_ms) / self.slot_ms)
        return range(first, min(last + 1, self.slots) if until_ms > self.begins_ms else first)


class Schedule:
    """All campaigns of one world, looked up by time."""

    def __init__(self, plan: Plan, scene: Scene) -> None:
        self._seed, self._scene = plan.seed, scene
        self._eras = tuple(_eras(plan))
        shortest_ms = min((era.slot_ms for era in self._eras), default=LONGEST_CAMPAIGN_MS)
        in_sight = 64 + 2 * int(LONGEST_CAMPAIGN_MS / shortest_ms)
        self._campaign = lru_cache(maxsize=in_sight)(self._staged)

    def strikes_in(self, minute: int) -> list[Strike]:
        """The purchases that campaigns add to a minute."""
        begins_ms = minute * MINUTE_MS
        ends_ms = begins_ms + MINUTE_MS
        return [
            strike
            for era in self._eras
            for slot in era.slots_between(
                begins_ms - LONGEST_CAMPAIGN_MS - int(era.slot_ms), ends_ms
            )
            for strike in self._campaign(era, slot)
            if begins_ms <= strike.at_ms < ends_ms
        ]

    def _staged(self, era: Era, slot: int) -> tuple[Strike, ...]:
        chance = Chance(self._seed, "campaign", era.name, slot)
        begins_ms = era.begins_ms + int((slot + chance.share()) * era.slot_ms)
        return tuple(DECK[slot % len(DECK)].stage(self._scene, begins_ms, chance))


def _eras(plan: Plan) -> Iterator[Era]:
    epoch_ms, live_ms = plan.epoch_minute * MINUTE_MS, plan.live_from_minute * MINUTE_MS
    if (mean := plan.mean_purchases(plan.epoch_minute)) > 0:
        slot_ms = _slot_ms(mean)
        yield Era("history", epoch_ms, int((live_ms - epoch_ms) / slot_ms), slot_ms)
    if (mean := plan.mean_purchases(plan.live_from_minute)) > 0:
        yield Era("live", live_ms, _WITHOUT_END, _slot_ms(mean))


def _slot_ms(purchases_per_minute: float) -> float:
    return MEAN_FRAUDS_PER_CAMPAIGN / (FRAUD_SHARE * purchases_per_minute) * MINUTE_MS
