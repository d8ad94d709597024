"""Daily extract: a closed UTC day in pages, with totals and a checksum of the whole day."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import Any

from shop.minute_cache import MinuteCache, canonical
from shop.plan import MINUTE_MS, MINUTES_PER_DAY
from shop.world import World

_UNIX_EPOCH = date(1970, 1, 1)
CACHED_DAYS = 400


class DayNotFound(LookupError):
    """The day is before the epoch, or the page after the last page of the day."""


class DayNotClosed(LookupError):
    """The day has not ended yet, so its extract could still change."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Count, amounts and checksum of a whole day; the same on each of its pages."""

    total_purchases: int
    total_amount_minor_by_currency: dict[str, int]
    checksum_sha256: str


class Extract:
    """Extract days: complete and correct, also where a message of the feed was malformed."""

    def __init__(self, world: World, minutes: MinuteCache) -> None:
        self._world, self._minutes = world, minutes
        self._lock = Lock()
        self._totals = lru_cache(maxsize=CACHED_DAYS)(self._compute_totals)

    def page(self, day: date, *, page: int, page_size: int, now_ms: int) -> dict[str, Any]:
        """Return one page of a day.

        Raises:
            DayNotFound: the day or the page does not exist.
            DayNotClosed: the day has not ended.
        """
        first, last = self._minutes_of(day, now_ms)
        with self._lock:  # two readers of a new day must not compute its totals twice
            totals = self._totals(first, last)
        pages = max(1, -(-totals.total_purchases // page_size))
        if page > pages:
            raise DayNotFound(f"{day} has {pages} pages of {page_size}; page {page} does not exist")
        return {
            "day": day.isoformat(),
            "page": page,
            "pages": pages,
            "page_size": page_size,
            "total_purchases": totals.total_purchases,
            "total_amount_minor_by_currency": totals.total_amount_minor_by_currency,
            "checksum_sha256": totals.checksum_sha256,
            "purchases": self._purchases(first, last, (page - 1) * page_size, page_size),
        }

    def _minutes_of(self, day: date, now_ms: int) -> tuple[int, int]:
        first = (day - _UNIX_EPOCH).days * MINUTES_PER_DAY
        last, epoch = first + MINUTES_PER_DAY, self._world.plan.epoch_minute
        if last <= epoch:
            raise DayNotFound(f"{day} is before the shop's first day; request a later one")
        if now_ms < last * MINUTE_MS:
            raise DayNotClosed(f"{day} is not over yet in UTC; request it after it has ended")
        return max(first, epoch), last

    def _compute_totals(self, first: int, last: int) -> Totals:
        count, amounts, checksum = 0, Counter[str](), hashlib.sha256()
        for minute in range(first, last):
            for purchase in self._world.purchases_of_minute(minute):
                count += 1
                amounts[purchase["currency"]] += purchase["amount_minor"]
                checksum.update(canonical(purchase).encode() + b"\n")
        return Totals(count, dict(sorted(amounts.items())), checksum.hexdigest())

    def _purchases(self, first: int, last: int, skipped: int, limit: int) -> list[dict[str, Any]]:
        """Return the purchases of a page; minutes of other pages are only counted."""
        purchases_found: list[dict[str, Any]] = []
        start = self._minutes.count_before(first) + skipped
        for minute in range(first, last):
            if len(purchases_found) >= limit:
                break
            if self._minutes.count_before(minute + 1) <= start:
                continue
            purchases = self._world.purchases_of_minute(minute)
            purchases_found += purchases[max(0, start - self._minutes.count_before(minute)) :]
        return purchases_found[:limit]
