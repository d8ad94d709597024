"""Read a day of a source page by page, and verify it against the source's totals and checksum."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fraudwatch.application.extract.ports import DaySource, ExtractFailed, PageCache, SourceMismatch
from fraudwatch.domain.lake.day_extract import SourcePage

log = logging.getLogger("extract_day")
_NOTHING_WRITTEN = "nothing was written and the pages read were discarded: run this again; if it "
_ASK_OWNER = _NOTHING_WRITTEN + "recurs, the source's owner must check its data"


@dataclass(frozen=True, slots=True)
class DayReader:
    """Reads the pages of a day in order; pages cached by an earlier run are not requested."""

    source: DaySource
    cache: PageCache
    day: str
    on_page: Callable[[], None]

    def begin(self) -> SourcePage:
        """Read the first page; cached pages with other totals are discarded."""
        first = self.source.page(self.day, 1)
        earlier = self.cache.load(1)
        if earlier is not None and _frame(earlier) != _frame(first):
            log.info("the data of %s changed since an earlier run; starting over", self.day)
            self.cache.clear()
        return first

    def read(self, first: SourcePage) -> list[str]:
        """Read, cache and verify all pages; return the digest of each.

        Raises:
            SourceMismatch: they do not match the totals that the source declares.
        """
        totals = RunningTotals(self.day, first)
        for number in range(1, first.pages + 1):
            cached = first if number == 1 else self.cache.load(number)
            page = cached or self.source.page(self.day, number)
            totals.add(page, number)
            if number == 1 or cached is None:
                self.cache.save(page)
            self.on_page()
            log.info(
                "read page %d of %d of %s (%d of %d purchases)",
                number, first.pages, self.day, totals.purchases, first.totals.purchases,
            )  # fmt: skip
        totals.check()
        return totals.digests

    def reread(self, digests: list[str]) -> Iterator[SourcePage]:
        """Yield the verified pages again, from the cache."""
        for number, digest in enumerate(digests, start=1):
            page = self.cache.load(number)
            if page is None or _digest_of(page) != digest:
                raise ExtractFailed(
                    f"the cached page {number} of {self.day} is missing or altered, so nothing was "
                    "written; run this again to read it anew"
                )
            self.on_page()
            yield page


@dataclass(slots=True)
class RunningTotals:
    """Totals of the pages read so far, compared with those that the source declares."""

    day: str
    first: SourcePage
    purchases: int = 0
    amounts: Counter[str] = field(default_factory=Counter)
    digests: list[str] = field(default_factory=list)
    checksum: hashlib._Hash = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        totals, size = self.first.totals, self.first.page_size
        pages = max(1, -(-totals.purchases // size)) if size > 0 else 0
        if pages != self.first.pages:
            raise SourceMismatch(
                f"the source counts {totals.purchases} purchases of {self.day} in "
                f"{self.first.pages} pages of {size}, which is impossible; {_ASK_OWNER}"
            )

    def add(self, page: SourcePage, number: int) -> None:
        """Add a page.

        Raises:
            SourceMismatch: it is short, long, a repeat of another page, or has other totals.
        """
        if _frame(page) != _frame(self.first):
            raise SourceMismatch(
                f"the totals of {self.day} changed between page 1 and page {number}: its data is "
                f"being written; {_ASK_OWNER}"
            )
        left = self.first.totals.purchases - (number - 1) * self.first.page_size
        wanted = min(self.first.page_size, left)
        if len(page.lines) != wanted:
            raise SourceMismatch(
                f"page {number} of {self.day} has {len(page.lines)} purchases, expected "
                f"{wanted}; {_ASK_OWNER}"
            )
        digest = _digest_of(page)
        if page.lines and digest in self.digests:
            raise SourceMismatch(
                f"page {number} of {self.day} repeats page {self.digests.index(digest) + 1}; "
                f"{_ASK_OWNER}"
            )
        self.digests.append(digest)
        self.purchases += len(page.lines)
        self.amounts.update(page.amount_minor_by_currency)
        for line in page.lines:
            self.checksum.update(line + b"\n")

    def check(self) -> None:
        """Compare with the declared amounts and checksum of the whole day.

        Raises:
            SourceMismatch: they differ.
        """
        totals = self.first.totals
        declared = {
            currency: sum_ for currency, sum_ in totals.amount_minor_by_currency.items() if sum_
        }
        found = {currency: sum_ for currency, sum_ in self.amounts.items() if sum_}
        if declared != found:
            currencies = declared.keys() | found.keys()
            wrong = sorted(c for c in currencies if declared.get(c) != found.get(c))
            raise SourceMismatch(
                f"the amounts of {self.day} in {', '.join(wrong)} do not add up to the source's "
                f"totals; {_ASK_OWNER}"
            )
        if self.checksum.hexdigest() != totals.checksum_sha256:
            raise SourceMismatch(
                f"the checksum over the {self.purchases} purchases of {self.day} is not the "
                f"source's: a page was altered, swapped or repeated in part; {_ASK_OWNER}"
            )


def _frame(page: SourcePage) -> tuple[object, ...]:
    """Return what must be equal on all pages of a day."""
    return page.pages, page.page_size, page.totals


def _digest_of(page: SourcePage) -> str:
    return hashlib.sha256(b"\n".join(page.lines)).hexdigest()
