"""Purchases by a seed: customers, bursts, repeats, late ones, and some that nobody may take."""

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
# What a repeat may reach back to. The detector knows a customer's last 64 ids; a busy customer of
# this load makes a few in the time of this many.
REPEATABLE = 2_000
REPEATED_SHARE = 0.01
BURST_SHARE = 0.004
LONGEST_BURST = 25
LATE_SHARE = 0.05
LATEST_MS = DAY_MS // 4
# Taken at the edge, which knows no customer's past, and put aside by the detector, which does.
TOO_LATE_SHARE = 0.001
DECLINED_SHARE = 0.06
LOCATED_SHARE = 0.5
TRAVELLED_SHARE = 0.01
# A few hundred customers at hundreds a second: at the clock's own pace each purchase would be an
# alert. Events begin weeks ago and pass a day in a minute and a half, so that windows turn as well.
EVENTS_BEGIN_MS = 20 * DAY_MS
EVENTS_PACE = 1_000


@dataclass(slots=True)
class Load:
    """The same seed makes the same purchases; only their times follow the clock."""

    seed: int
    source: str
    customers: int = CUSTOMERS
    _chance: random.Random = field(init=False)
    _homes: list[tuple[float, float]] = field(init=False)
    _began_ms: int | None = None
    _made: int = 0
    _burst: deque[int] = field(default_factory=deque)
    _recent: deque[Purchase] = field(default_factory=lambda: deque(maxlen=REPEATABLE))

    def __post_init__(self) -> None:
        self._chance = chance = random.Random(self.seed)
        self._homes = [_anywhere(chance) for _ in range(self.customers)]

    def batch(self, count: int, now_ms: int) -> list[Purchase]:
        """The next purchases; about one in a hundred is an earlier one again, word for word."""
        return [self._next(now_ms) for _ in range(count)]

    def garbage(self, now_ms: int) -> list[Purchase]:
        """A batch that must be refused as a whole, for one broken purchase among sound ones."""
        ways = (
            {"amount_minor": -1},
            {"currency": "XXX"},
            {"id": "with a space"},
            {"event_at_ms": now_ms + 10 * DAY_MS},
            {"ip": "no address"},
        )
        sound = [replace(self._fresh(now_ms), id=f"garbage-{self._made}-{n}") for n in range(3)]
        place = self._chance.randrange(len(sound))
        sound[place] = replace(sound[place], **self._chance.choice(ways))
        return sound

    def _next(self, now_ms: int) -> Purchase:
        if self._recent and self._chance.random() < REPEATED_SHARE:
            return self._chance.choice(self._recent)
        purchase = self._fresh(now_ms)
        self._recent.append(purchase)
        return purchase

    def _fresh(self, now_ms: int) -> Purchase:
        chance, self._made = self._chance, self._made + 1
        customer = self._customer()
        located = chance.random() < LOCATED_SHARE
        latitude, longitude = self._place(customer)
        return a_purchase(
            source=self.source,
            id=f"{self.seed}-{self._made}",
            event_at_ms=self._event_at_ms(now_ms) - self._late_by_ms(),
            customer_id=f"customer-{customer}",
            amount_minor=round(chance.lognormvariate(7.5, 1.2)),
            payment_status=(
                PaymentStatus.DECLINED
                if chance.random() < DECLINED_SHARE
                else PaymentStatus.APPROVED
            ),
            channel=Channel.PRESENT if located else Channel.NOT_PRESENT,
            merchant_id=f"merchant-{chance.randrange(MERCHANTS)}",
            purchase_latitude=latitude if located else None,
            purchase_longitude=longitude if located else None,
        )

    def _event_at_ms(self, now_ms: int) -> int:
        if self._began_ms is None:
            self._began_ms = now_ms
        passed_ms = (now_ms - self._began_ms) * EVENTS_PACE
        return min(now_ms, self._began_ms - EVENTS_BEGIN_MS + passed_ms)

    def _late_by_ms(self) -> int:
        drawn = self._chance.random()
        if drawn < TOO_LATE_SHARE:
            return TOO_LATE_MS + self._chance.randrange(DAY_MS, 10 * DAY_MS)
        return self._chance.randrange(LATEST_MS) if drawn < LATE_SHARE else 0

    def _place(self, customer: int) -> tuple[float, float]:
        """Near home; now and then far away, too soon."""
        if self._chance.random() < TRAVELLED_SHARE:
            return _anywhere(self._chance)
        latitude, longitude = self._homes[customer]
        return latitude + self._chance.gauss(0, 0.05), longitude + self._chance.gauss(0, 0.05)

    def _customer(self) -> int:
        """Anyone; now and then somebody buys many times in a row."""
        if not self._burst and self._chance.random() < BURST_SHARE:
            one, times = self._chance.randrange(self.customers), self._chance.randrange(5, 26)
            self._burst.extend([one] * min(times, LONGEST_BURST))
        return self._burst.popleft() if self._burst else self._chance.randrange(self.customers)


def _anywhere(chance: random.Random) -> tuple[float, float]:
    return chance.uniform(36, 60), chance.uniform(-9, 25)
