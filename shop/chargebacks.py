"""Generate chargebacks: the fraud that card issuers report, late and not quite right.

They are the only labels that the shop publishes. A chargeback depends on the purchase alone, never
on its verdict, so that labels are not biased by verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from shop.minute_cache import canonical
from shop.plan import MINUTE_MS, MINUTES_PER_DAY
from shop.purchases import SOURCE
from shop.seeded_random import SeededRandom
from shop.world import World

NOTICED_SHARE = 0.85
# Genuine purchases whose buyer disputes them (friendly fraud).
FRIENDLY_SHARE = 0.000_2
_SIGMA = 0.8
_DAY_MS = MINUTES_PER_DAY * MINUTE_MS


class IssuedChargeback(NamedTuple):
    """A purchase that its issuer reports as fraud; tuples sort in the order of the stream."""

    known_at_ms: int
    minute: int
    number: int

    def to_json(self) -> bytes:
        """Encode the message as the API serves it."""
        message = {
            "source": SOURCE,
            "id": f"{self.minute}-{self.number}",
            "verdict": "fraud",
            "by": "issuer",
            "known_at_ms": self.known_at_ms,
        }
        return canonical(message).encode()


def chargebacks_of(world: World, minute: int) -> Iterator[IssuedChargeback]:
    """Yield the chargebacks that purchases of this minute will ever have."""
    moments = world.moments_of_minute(minute)
    disputed = _disputed(world, minute, len(moments))
    for index, (at_ms, is_fraud) in enumerate(moments):
        if not is_fraud and index not in disputed:
            continue
        rng = SeededRandom(world.plan.seed, "chargeback", minute, index)
        if not is_fraud or rng.happens(NOTICED_SHARE):
            delay_ms = _delay_ms(world.plan.chargeback_delay_days, rng)
            yield IssuedChargeback(at_ms + delay_ms, minute, index)


def _disputed(world: World, minute: int, purchases: int) -> frozenset[int]:
    rng = SeededRandom(world.plan.seed, "disputes", minute)
    count = rng.poisson(FRIENDLY_SHARE * purchases)
    return frozenset(rng.integer(0, purchases - 1) for _ in range(count))


def _delay_ms(mean_days: float, rng: SeededRandom) -> int:
    """Draw a delay: mostly shorter than the mean, sometimes much longer, never zero."""
    days = rng.log_normal(mean_days * math.exp(-(_SIGMA**2) / 2), _SIGMA)
    return max(MINUTE_MS, int(days * _DAY_MS))
