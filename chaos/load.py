"""Generate purchases from a seed: bursts, repeats, late events, and batches to be refused."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace

from fraudwatch.domain.features.catalogue import TOO_LATE_MS
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus, Purchase
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import a_purchase

CUSTOMERS = 400
MERCHANTS = 60
# Number of recent purchases that may be repeated. The detector deduplicates a customer's last 64
# ids; a busy customer of this load makes only a few purchases among this many.
REPEATABLE = 2_000
REPEATED_SHARE = 0.01
BURST_SHARE = 0.004
LONGEST_BURST = 25
LATE_SHARE = 0.05
LATEST_MS = DAY_MS // 4
# Accepted by ingest, which has no customer history; dead-lettered by the detector, which has.
TOO_LATE_SHARE = 0.001
DECLINED_SHARE = 0.06
LOCATED_SHARE = 0.5
TRAVELLED_SHARE = 0.01
# A few hundred customers make hundreds of purchases a second: in real time each would be an alert.
# Events start weeks ago and run a day in a minute and a half, so that windows move as well.
EVENTS_BEGIN_MS = 20 * DAY_MS
EVENTS_PACE = 1_000


@dataclass(slots=True)
class Load:
    """Generator of purchases: the same for the same seed, except that times follow the clock."""

    seed: int
    source: str
    customers: int = CUSTOMERS
    events_pace: float = EVENTS_PACE
    _rng: random.Random = field(init=False)
    _homes: list[tuple[float, float]] = field(init=False)
    _began_ms: int | None = None
    _made: int = 0
    _burst: deque[int] = field(default_factory=deque)
    _recent: deque[Purchase] = field(default_factory=lambda: deque(maxlen=REPEATABLE))

    def __post_init__(self) -> None:
        self._rng = rng = random.Random(self.seed)
        self._homes = [_anywhere(rng) for _ in range(self.customers)]

    def batch(self, count: int, now_ms: int) -> list[Purchase]:
        """Return the next purchases; about one in a hundred repeats an earlier one exactly."""
        return [self._next(now_ms) for _ in range(count)]

    def garbage(self, now_ms: int) -> list[Purchase]:
        """Return a batch that must be refused as a whole: one purchase of it is invalid."""
        ways = (
            {"amount_minor": -1},
            {"currency": "XXX"},
            {"id": "with a space"},
            {"event_at_ms": now_ms + 10 * DAY_MS},
            {"merchant_id": " "},
        )
        batch = [replace(self._new(now_ms), id=f"garbage-{self._made}-{n}") for n in range(3)]
        index = self._rng.randrange(len(batch))
        batch[index] = replace(batch[index], **self._rng.choice(ways))
        return batch

    def _next(self, now_ms: int) -> Purchase:
        if self._recent and self._rng.random() < REPEATED_SHARE:
            return self._rng.choice(self._recent)
        purchase = self._new(now_ms)
        self._recent.append(purchase)
        return purchase

    def _new(self, now_ms: int) -> Purchase:
        rng, self._made = self._rng, self._made + 1
        customer = self._customer()
        located = rng.random() < LOCATED_SHARE
        latitude, longitude = self._place(customer)
        return a_purchase(
            source=self.source,
            id=f"{self.seed}-{self._made}",
            event_at_ms=self._event_at_ms(now_ms) - self._late_by_ms(),
            customer_id=f"customer-{customer}",
            amount_minor=round(rng.lognormvariate(7.5, 1.2)),
            payment_status=(
                PaymentStatus.DECLINED if rng.random() < DECLINED_SHARE else PaymentStatus.APPROVED
            ),
            channel=Channel.PRESENT if located else Channel.NOT_PRESENT,
            merchant_id=f"merchant-{rng.randrange(MERCHANTS)}",
            purchase_latitude=latitude if located else None,
            purchase_longitude=longitude if located else None,
        )

    def _event_at_ms(self, now_ms: int) -> int:
        if self._began_ms is None:
            self._began_ms = now_ms
        passed_ms = (now_ms - self._began_ms) * self.events_pace
        return min(now_ms, self._began_ms - EVENTS_BEGIN_MS + round(passed_ms))

    def _late_by_ms(self) -> int:
        drawn = self._rng.random()
        if drawn < TOO_LATE_SHARE:
            return TOO_LATE_MS + self._rng.randrange(DAY_MS, 10 * DAY_MS)
        return self._rng.randrange(LATEST_MS) if drawn < LATE_SHARE else 0

    def _place(self, customer: int) -> tuple[float, float]:
        """Return a place near home; rarely one far away."""
        if self._rng.random() < TRAVELLED_SHARE:
            return _anywhere(self._rng)
        latitude, longitude = self._homes[customer]
        return latitude + self._rng.gauss(0, 0.05), longitude + self._rng.gauss(0, 0.05)

    def _customer(self) -> int:
        """Return a random customer; rarely the same one many times in a row."""
        if not self._burst and self._rng.random() < BURST_SHARE:
            one, times = self._rng.randrange(self.customers), self._rng.randrange(5, 26)
            self._burst.extend([one] * min(times, LONGEST_BURST))
        return self._burst.popleft() if self._burst else self._rng.randrange(self.customers)


def _anywhere(rng: random.Random) -> tuple[float, float]:
    return rng.uniform(36, 60), rng.uniform(-9, 25)
