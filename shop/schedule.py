"""Schedule fraud campaigns: one in each slot of time, for a fixed share of fraud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from shop.campaigns.campaign import LONGEST_CAMPAIGN_MS, CampaignContext, CampaignPurchase
from shop.campaigns.campaign_mix import CAMPAIGN_MIX, MEAN_FRAUDS_PER_CAMPAIGN
from shop.plan import MINUTE_MS, Plan
from shop.seeded_random import SeededRandom

FRAUD_SHARE = 0.0095
# More slots than the calendar has milliseconds.
_UNLIMITED_SLOTS = 10**15


@dataclass(frozen=True, slots=True)
class Era:
    """A span with one campaign every ``slot_ms``: the history, or the live time."""

    name: str
    begins_ms: int
    slots: int
    slot_ms: float

    def slots_between(self, from_ms: int, until_ms: int) -> range:
        """Return the slots whose campaign may begin in [from, until)."""
        first = int(max(0, from_ms - self.begins_ms) / self.slot_ms)
        last = int((until_ms - self.begins_ms) / self.slot_ms)
        return range(first, min(last + 1, self.slots) if until_ms > self.begins_ms else first)


class Schedule:
    """Look up the campaigns of one world by time."""

    def __init__(self, plan: Plan, context: CampaignContext) -> None:
        self._seed, self._context = plan.seed, context
        self._eras = tuple(_eras(plan))
        shortest_ms = min((era.slot_ms for era in self._eras), default=LONGEST_CAMPAIGN_MS)
        cache_size = 64 + 2 * int(LONGEST_CAMPAIGN_MS / shortest_ms)
        self._campaign = lru_cache(maxsize=cache_size)(self._generate)

    def campaign_purchases_in(self, minute: int) -> list[CampaignPurchase]:
        """Return the purchases that campaigns add to a minute."""
        begins_ms = minute * MINUTE_MS
        ends_ms = begins_ms + MINUTE_MS
        return [
            purchase
            for era in self._eras
            for slot in era.slots_between(
                begins_ms - LONGEST_CAMPAIGN_MS - int(era.slot_ms), ends_ms
            )
            for purchase in self._campaign(era, slot)
            if begins_ms <= purchase.at_ms < ends_ms
        ]

    def _generate(self, era: Era, slot: int) -> tuple[CampaignPurchase, ...]:
        rng = SeededRandom(self._seed, "campaign", era.name, slot)
        begins_ms = era.begins_ms + int((slot + rng.random()) * era.slot_ms)
        return tuple(CAMPAIGN_MIX[slot % len(CAMPAIGN_MIX)].generate(self._context, begins_ms, rng))


def _eras(plan: Plan) -> Iterator[Era]:
    epoch_ms, live_ms = plan.epoch_minute * MINUTE_MS, plan.live_from_minute * MINUTE_MS
    if (mean := plan.mean_purchases(plan.epoch_minute)) > 0:
        slot_ms = _slot_ms(mean)
        yield Era("history", epoch_ms, int((live_ms - epoch_ms) / slot_ms), slot_ms)
    if (mean := plan.mean_purchases(plan.live_from_minute)) > 0:
        yield Era("live", live_ms, _UNLIMITED_SLOTS, _slot_ms(mean))


def _slot_ms(purchases_per_minute: float) -> float:
    return MEAN_FRAUDS_PER_CAMPAIGN / (FRAUD_SHARE * purchases_per_minute) * MINUTE_MS
