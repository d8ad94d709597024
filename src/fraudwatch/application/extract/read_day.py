"""Read a day of a source page by page, and believe nothing that its own totals do not confirm."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fraudwatch.application.extract.ports import DaySource, ExtractFailed, KeptPages, Untrue
from fraudwatch.domain.lake.day_extract import SourcePage

log = logging.getLogger("extract_day")
_NOTHING_WRITTEN = "nothing was written and what was read is forgotten: run this again; if it "
_ASK_OWNER = _NOTHING_WRITTEN + "recurs, the source's owner must look at its books"


@dataclass(frozen=True, slots=True)
class DayReader:
    """Pages of a day in order; what was kept by an earlier run is not asked for again."""

    source: DaySource
    kept: KeptPages
    day: str
    on_page: Callable[[], None]

    def begin(self) -> SourcePage:
        """The first page, as the source tells it now; kept ones of other totals are forgotten."""
        first = self.source.page(self.day, 1)
        earlier = self.kept.kept(1)
        if earlier is not None and _frame(earlier) != _frame(first):
            log.info("the books of %s changed since an earlier run; beginning anew", self.day)
            self.kept.clear()
        return first

    def read(self, first: SourcePage) -> list[str]:
        """Read and keep all pages, and check them; the answer is each page's digest.

        Raises:
            Untrue: they are not what the source says that the day holds.
        """
        tally = _Tally(self.day, first)
        for number in range(1, first.pages + 1):
            kept = first if number == 1 else self.kept.kept(number)
            page = kept or self.source.page(self.day, number)
            tally.add(page, number)
            if number == 1 or kept is None:
                self.kept.keep(page)
            self.on_page()
            log.info(
                "read page %d of %d of %s (%d of %d purchases)",
                number, first.pages, self.day, tally.purchases, first.totals.purchases,
            )  # fmt: skip
        tally.check()
        return tally.digests

    def again(self, digests: list[str]) -> Iterator[SourcePage]:
        """The pages that were read, out of what was kept of them."""
        for number, digest in enumerate(digests, start=1):
            page = self.kept.kept(number)
            if page is None or _digest_of(page) != digest:
                raise ExtractFailed(
                    f"page {number} of {self.day} was kept and is gone or altered, so nothing was "
                    "written; run this again and it is read anew"
                )
            self.on_page()
            yield page


@dataclass(slots=True)
class _Tally:
    """What the pages add up to so far, beside what they should."""

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
            raise Untrue(
                f"the source counts {totals.purchases} purchases of {self.day} in "
                f"{self.first.pages} pages of {size}, which cannot be; {_ASK_OWNER}"
            )

    def add(self, page: SourcePage, number: int) -> None:
        """Take a page in.

        Raises:
            Untrue: it is short, long, a repeat of another, or of other totals.
        """
        if _frame(page) != _frame(self.first):
            raise Untrue(
                f"the totals of {self.day} changed between page 1 and page {number}: its books are "
                f"being written; {_ASK_OWNER}"
            )
        left = self.first.totals.purchases - (number - 1) * self.first.page_size
        wanted = min(self.first.page_size, left)
        if len(page.lines) != wanted:
            raise Untrue(
                f"page {number} of {self.day} holds {len(page.lines)} purchases and must hold "
                f"{wanted}; {_ASK_OWNER}"
            )
        digest = _digest_of(page)
        if page.lines and digest in self.digests:
            raise Untrue(
                f"page {number} of {self.day} repeats page {self.digests.index(digest) + 1}; "
                f"{_ASK_OWNER}"
            )
        self.digests.append(digest)
        self.purchases += len(page.lines)
        self.amounts.update(page.amount_minor_by_currency)
        for line in page.lines:
            self.checksum.update(line + b"\n")

    def check(self) -> None:
        """Compare with what the source says of the whole day.

        Raises:
            Untrue: it does not agree.
        """
        totals = self.first.totals
        said = {
            currency: sum_ for currency, sum_ in totals.amount_minor_by_currency.items() if sum_
        }
        found = {currency: sum_ for currency, sum_ in self.amounts.items() if sum_}
        if said != found:
            wrong = sorted(c for c in said.keys() | found.keys() if said.get(c) != found.get(c))
            raise Untrue(
                f"the amounts of {self.day} in {', '.join(wrong)} do not add up to what the source "
                f"says; {_ASK_OWNER}"
            )
        if self.checksum.hexdigest() != totals.checksum_sha256:
            raise Untrue(
                f"the checksum over the {self.purchases} purchases of {self.day} is not the "
                f"source's: a page was altered, swapped or repeated in part; {_ASK_OWNER}"
            )


def _frame(page: SourcePage) -> tuple[object, ...]:
    """What must be the same on each page of a day."""
    return page.pages, page.page_size, page.totals


def _digest_of(page: SourcePage) -> str:
    return hashlib.sha256(b"\n".join(page.lines)).hexdigest()
