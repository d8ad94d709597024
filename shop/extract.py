"""The daily extract: a closed UTC day in pages, with totals to check the pages against."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import Any

from shop.minute_cache import Told, canonical
from shop.plan import MINUTE_MS, MINUTES_PER_DAY
from shop.world import World

_UNIX_EPOCH = date(1970, 1, 1)
REMEMBERED_DAYS = 400


class DayOutsideWorld(LookupError):
    """The day lies before the beginning, or the page after the end of the day."""


class DayStillOpen(LookupError):
    """The day has not ended yet: its extract would still change."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a day adds up to; the same on each of its pages."""

    total_purchases: int
    total_amount_minor_by_currency: dict[str, int]
    checksum_sha256: str


class Extract:
    """The shop's own books, day by day: complete, also where a message of the feed was broken."""

    def __init__(self, world: World, told: Told) -> None:
        self._world, self._told = world, told
        self._adding_up = Lock()
        self._totals = lru_cache(maxsize=REMEMBERED_DAYS)(self._added_up)

    def page(self, day: date, *, page: int, page_size: int, now_ms: int) -> dict[str, Any]:
        """One page of a day.

        Raises:
            DayOutsideWorld: when there is no such day or page.
            DayStillOpen: when the day has not ended.
        """
        first, last = self._minutes_of(day, now_ms)
        with self._adding_up:  # two readers of a fresh day must not add it up twice
            totals = self._totals(first, last)
        pages = max(1, -(-totals.total_purchases // page_size))
        if page > pages:
            raise DayOutsideWorld(f"{day} has {pages} pages of {page_size}, so page {page} is none")
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
            raise DayOutsideWorld(f"{day} lies before the shop's first day; ask for a later one")
        if now_ms < last * MINUTE_MS:
            raise DayStillOpen(f"{day} is not over yet in UTC; ask again when it is")
        return max(first, epoch), last

    def _added_up(self, first: int, last: int) -> Totals:
        count, amounts, checksum = 0, Counter[str](), hashlib.sha256()
        for minute in range(first, last):
            for purchase in self._world.purchases_of_minute(minute):
                count += 1
                amounts[purchase["currency"]] += purchase["amount_minor"]
                checksum.update(canonical(purchase).encode() + b"\n")
        return Totals(count, dict(sorted(amounts.items())), checksum.hexdigest())

    def _purchases(self, first: int, last: int, skipped: int, wanted: int) -> list[dict[str, Any]]:
        """The purchases of a page; minutes that lie on other pages are only counted."""
        found: list[dict[str, Any]] = []
        start = self._told.before(first) + skipped
        for minute in range(first, last):
            if len(found) >= wanted:
                break
            if self._told.before(minute + 1) <= start:
                continue
            purchases = self._world.purchases_of_minute(minute)
            found += purchases[max(0, start - self._told.before(minute)) :]
        return found[:wanted]
