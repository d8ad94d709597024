"""Store lists of many rows in one array: pages of eight words, chained, taken and given back.

A list needs no more memory than its pages. A word is addressed by its index; page 0 is never used,
so address 0 is the end of an empty list and page 0 ends a chain.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Int32s, Int64s
from fraudwatch.domain.features.compiled import compiled

# A power of two, and the line of a processor's cache.
PAGE_BITS = 3
PAGE_WORDS = 1 << PAGE_BITS
_IN_PAGE = PAGE_WORDS - 1
_FIRST_FREE, _USED, _FREE = 0, 1, 2
_GROWTH_DIVISOR = 2


class Pages(NamedTuple):
    """Pages, and which of them are free."""

    words: npt.NDArray[Any]  # PAGE_WORDS of each page, of one type
    following: Int32s  # [page] next of the chain, 0 none
    tally: Int64s  # first free page, pages ever used, how many of those are free

    @classmethod
    def empty(cls, dtype: type) -> Pages:
        """Return no pages."""
        words: npt.NDArray[Any] = np.zeros(PAGE_WORDS, dtype=dtype)
        return cls(words, np.zeros(1, dtype=np.int32), np.array([0, 1, 0], dtype=np.int64))

    @property
    def free(self) -> int:
        """Number of pages that can be taken."""
        return int(len(self.following) - self.tally[_USED] + self.tally[_FREE])

    def reserved(self, pages: int) -> Pages:
        """Return room for so many more pages; it takes no memory before it is written to."""
        if pages <= self.free:
            return self
        size = len(self.following) + max(pages, len(self.following) // _GROWTH_DIVISOR)
        words = grown(self.words, size * PAGE_WORDS)
        return Pages(words, grown(self.following, size), self.tally)


def grown(values: Any, size: int) -> Any:
    """Copy an array into a longer one of zeros."""
    longer = np.zeros((size, *values.shape[1:]), dtype=values.dtype)
    longer[: len(values)] = values
    return longer


@compiled
def next_word(address: int, pages: Pages) -> int:
    """Return where a list goes on; ``address`` is behind the word that was read last."""
    if address & _IN_PAGE:
        return address
    return int(pages.following[(address >> PAGE_BITS) - 1]) << PAGE_BITS


@compiled
def append(first: int, end: int, pages: Pages) -> int:
    """Return the address of a word more for the list that ends at ``end``.

    A page that the list already has behind its end is used. The caller notes the first page.
    """
    if end & _IN_PAGE:
        return end
    last = (end >> PAGE_BITS) - 1
    page = int(first) if end == 0 else int(pages.following[last])
    if page == 0:
        page = _take(pages)
        if end:
            pages.following[last] = page
    return page << PAGE_BITS


@compiled
def cut(first: int, end: int, pages: Pages) -> None:
    """Free the pages of a list behind its new end; at end 0 the caller forgets the first page."""
    page = int(first)
    if end:
        last = (end - 1) >> PAGE_BITS
        page = int(pages.following[last])
        pages.following[last] = 0
    while page != 0:
        following = int(pages.following[page])
        pages.following[page] = pages.tally[_FIRST_FREE]
        pages.tally[_FIRST_FREE] = page
        pages.tally[_FREE] += 1
        page = following


@compiled
def _take(pages: Pages) -> int:
    page = int(pages.tally[_FIRST_FREE])
    if page == 0:
        page = int(pages.tally[_USED])
        pages.tally[_USED] += 1
    else:
        pages.tally[_FIRST_FREE] = pages.following[page]
        pages.tally[_FREE] -= 1
    pages.following[page] = 0
    return page
