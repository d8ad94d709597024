"""Copy customers between the state's pages and :class:`CustomerRows`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Int32s, Int64s, UInt8s
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.customer_rows import FIXED_COLUMNS, CustomerRows
from fraudwatch.domain.features.packed_rows import LISTS, PackedRows, forget
from fraudwatch.domain.features.pages import PAGE_BITS, PAGE_WORDS, Pages, append, next_word

_ENTRY_SHAPE: Final = {
    "tiles": (-1, 2),
    "known": (-1, 2),
    "recent_ids": (-1,),
    "hour_weight": (-1,),
}


def copied_rows(customers: PackedRows, rows: Int64s) -> CustomerRows:
    """Copy rows as what their histories hold, so that equal histories have equal bytes."""
    fixed: dict[str, Any] = {name: customers.rows[name][rows] for name in FIXED_COLUMNS}
    copy = CustomerRows.empty(0)._replace(**fixed)
    lists: dict[str, Any] = {}
    for name, one in LISTS.items():
        pages = getattr(customers, name)
        lengths = _words_of(copy, name)
        words = np.empty(lengths.sum(), dtype=pages.words.dtype)
        _copy_out(customers.rows[one.first_page][rows], lengths, pages, words)
        lists[name] = words.view(getattr(copy, name).dtype).reshape(_ENTRY_SHAPE[name])
    _sort_tiles(copy.tile_count, lists["tiles"])
    return copy._replace(**lists)


def put_rows(customers: PackedRows, rows: Int64s, copy: CustomerRows) -> PackedRows:
    """Write copied rows to these rows, whatever they held; return the state with more pages."""
    _forget_all(rows, customers)
    for name in FIXED_COLUMNS:
        customers.rows[name][rows] = getattr(copy, name)
    for name, one in LISTS.items():
        lengths = _words_of(copy, name)
        pages = getattr(customers, name).reserved(int((-(-lengths // PAGE_WORDS)).sum()))
        grown: dict[str, Any] = {name: pages}
        customers = customers._replace(**grown)
        words = np.ascontiguousarray(getattr(copy, name)).reshape(-1).view(pages.words.dtype)
        first = np.zeros(len(rows), dtype=np.int32)
        _copy_in(first, lengths, words, pages)
        customers.rows[one.first_page][rows] = first
    return customers


def _words_of(copy: CustomerRows, name: str) -> Int64s:
    """Return how many words each row's list has."""
    return copy.list_lengths()[name] * abs(int(np.prod(_ENTRY_SHAPE[name])))


@compiled
def _copy_out(first: Int32s, lengths: Int64s, pages: Pages, words: npt.NDArray[Any]) -> None:
    at = 0
    for row in range(len(first)):
        address = int(first[row]) * PAGE_WORDS
        for number in range(lengths[row]):
            if number:
                address = next_word(address + 1, pages)
            words[at] = pages.words[address]
            at += 1


@compiled
def _copy_in(first: Int32s, lengths: Int64s, words: npt.NDArray[Any], pages: Pages) -> None:
    at = 0
    for row in range(len(lengths)):
        end = 0
        for number in range(lengths[row]):
            end = append(0, end, pages)
            if number == 0:
                first[row] = end >> PAGE_BITS
            pages.words[end] = words[at]
            end += 1
            at += 1


@compiled
def _forget_all(rows: Int64s, customers: PackedRows) -> None:
    for row in rows:
        forget(customers.rows[row], customers)


@compiled
def _sort_tiles(counts: UInt8s, tiles: Int64s) -> None:
    """Sort each row's entries by their first word, by insertion."""
    begin = 0
    for count in counts:
        for number in range(begin + 1, begin + int(count)):
            first, second, at = tiles[number, 0], tiles[number, 1], number
            while at > begin and tiles[at - 1, 0] > first:
                tiles[at, 0], tiles[at, 1] = tiles[at - 1, 0], tiles[at - 1, 1]
                at -= 1
            tiles[at, 0], tiles[at, 1] = first, second
        begin += int(count)
