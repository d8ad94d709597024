"""Count purchases and sum spend in windows of whole tiles (velocity); semantics: the catalogue.

Only tiles with an event are kept, in no order. An entry's first word holds its kind, its tile's
number and the lower bits of the spend, the second one four counts. The few tiles that spend more
have an entry of another kind for the rest.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.catalogue import (
    FEATURE_INDEX,
    MAX_COUNT_OF_TILE,
    SMALL_AMOUNT_EUR_CENTS,
    WINDOWS,
)
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.habits import large_from
from fraudwatch.domain.features.packed_rows import Row
from fraudwatch.domain.features.pages import PAGE_BITS, Pages, append, cut, next_word

_TILES_OF_WINDOW = np.array([w.tiles for w in WINDOWS], dtype=np.int64)
TILE_MS_OF_WINDOW = np.array([w.tile_ms for w in WINDOWS], dtype=np.int64)
_WINDOWS = len(WINDOWS)
_PURCHASE_COUNT = FEATURE_INDEX[f"purchase_count_{WINDOWS[0].name}"]
_SPEND = FEATURE_INDEX[f"spend_{WINDOWS[0].name}_eur_cents"]
_FAILED_COUNT = FEATURE_INDEX[f"failed_count_{WINDOWS[0].name}"]
_PURCHASE_DAYS = FEATURE_INDEX["purchase_days_30d"]
_WINDOW_OF_DAYS = [window.name for window in WINDOWS].index("30d")
_SMALL_COUNT = FEATURE_INDEX[f"small_count_{WINDOWS[0].name}"]
_LARGE_COUNT = FEATURE_INDEX[f"large_count_{WINDOWS[0].name}"]
# The first word: kind (window, or window + 5 for the rest of its spend), tile, lower bits of spend.
KIND_SHIFT, KIND_MASK = 60, 15
TILE_SHIFT, TILE_MASK = 33, (1 << 27) - 1  # tiles of a minute until the year 2225
LOW_SPEND = (1 << 33) - 1
# The second word: four counts of 16 bits. Their sums have 32 bits each, two in a word.
_COUNT_BITS, _SUM_BITS = 16, 32
_PURCHASES, _FAILED, _SMALL, _LARGE = 0, 1, 2, 3
_TWO_COUNTS, _SUM_MASK = 0xFFFF_0000_FFFF, (1 << 32) - 1
# Values of a window: the event's tile, the oldest one that is kept, the addresses of the event's
# entry and of that for the rest of the spend (0 none), and the sums.
_OWN, _OLDEST, _ENTRY, _REST_ENTRY = 0, 1, 2, 3
_PURCHASES_AND_SMALL, _FAILED_AND_LARGE, _SPENT, _PURCHASE_TILES = 4, 5, 6, 7
# Values of the list, in a row behind the windows: where it ends, and its number of entries.
_LIST, _END, _COUNT = _WINDOWS, 0, 1


@compiled
def fold_windows(
    i: int, row: Row, at_ms: int, added: int, spent: int, tiles: Pages, one: Int64s, out: Float64s
) -> None:
    """Compute every window's counts and sums, then add this event to its tile."""
    _begin(at_ms, row, one)
    _expire_and_sum(row, tiles, one)
    for w in range(_WINDOWS):
        own = one[w, _OWN]
        if row.lost_tile[w] < own - _TILES_OF_WINDOW[w]:
            _write_sums(i, w, one, out)
        if own >= one[w, _OLDEST]:
            _add(row, w, added, spent, tiles, one)
        else:
            row.lost_tile[w] = max(row.lost_tile[w], own)
    row.tile_count = one[_LIST, _COUNT]


@compiled
def counts_of(
    amount: int,
    is_approved: bool,  # noqa: FBT001  compiled functions have positional arguments only
    row: Row,
) -> int:
    """Return what an event adds to the counts of its tiles."""
    counts = 1 << _COUNT_BITS * (_PURCHASES if is_approved else _FAILED)
    if amount < SMALL_AMOUNT_EUR_CENTS:
        counts |= 1 << _COUNT_BITS * _SMALL
    if amount > large_from(row):
        counts |= 1 << _COUNT_BITS * _LARGE
    return counts


@compiled
def _begin(at_ms: int, row: Row, one: Int64s) -> None:
    one[:] = 0
    newest_ms = max(at_ms, row.last_event_ms)
    for w in range(_WINDOWS):
        one[w, _OWN] = at_ms // TILE_MS_OF_WINDOW[w]
        one[w, _OLDEST] = newest_ms // TILE_MS_OF_WINDOW[w] - _TILES_OF_WINDOW[w]


@compiled
def _expire_and_sum(row: Row, tiles: Pages, one: Int64s) -> None:
    """Remove entries of tiles that are no longer kept, and sum those up to the event's own."""
    address, end, kept, count = int(row.tile_page) << PAGE_BITS, 0, 0, int(row.tile_count)
    for number in range(count):
        if number:
            address = next_word(address + 2, tiles)
        about, counts = tiles.words[address], tiles.words[address + 1]
        kind, tile = (about >> KIND_SHIFT) & KIND_MASK, (about >> TILE_SHIFT) & TILE_MASK
        window = kind - _WINDOWS if kind >= _WINDOWS else kind
        if tile < one[window, _OLDEST]:
            row.lost_tile[window] = max(row.lost_tile[window], tile)
            continue
        end = append(row.tile_page, end, tiles)
        tiles.words[end], tiles.words[end + 1] = about, counts
        if tile == one[window, _OWN]:
            one[window, _ENTRY if kind == window else _REST_ENTRY] = end
        if tile <= one[window, _OWN]:
            _sum(about, counts, kind, one)
        end, kept = end + 2, kept + 1
    if kept < count:
        cut(row.tile_page, end, tiles)
        row.tile_page = row.tile_page if end else 0
    one[_LIST, _END], one[_LIST, _COUNT] = end, kept


@compiled
def _sum(about: int, counts: int, kind: int, one: Int64s) -> None:
    if kind < _WINDOWS:
        one[kind, _PURCHASES_AND_SMALL] += counts & _TWO_COUNTS
        one[kind, _FAILED_AND_LARGE] += (counts >> _COUNT_BITS) & _TWO_COUNTS
        one[kind, _SPENT] += about & LOW_SPEND
        one[kind, _PURCHASE_TILES] += counts & MAX_COUNT_OF_TILE > 0
    else:
        one[kind - _WINDOWS, _SPENT] += counts << TILE_SHIFT


@compiled
def _write_sums(i: int, window: int, one: Int64s, out: Float64s) -> None:
    two, other_two = one[window, _PURCHASES_AND_SMALL], one[window, _FAILED_AND_LARGE]
    out[i, _PURCHASE_COUNT + window] = two & _SUM_MASK
    out[i, _SMALL_COUNT + window] = two >> _SUM_BITS
    out[i, _FAILED_COUNT + window] = other_two & _SUM_MASK
    out[i, _LARGE_COUNT + window] = other_two >> _SUM_BITS
    out[i, _SPEND + window] = one[window, _SPENT]
    if window == _WINDOW_OF_DAYS:  # its tiles are days
        out[i, _PURCHASE_DAYS] = one[window, _PURCHASE_TILES]


@compiled
def _add(row: Row, window: int, added: int, spent: int, tiles: Pages, one: Int64s) -> None:
    """Add the event to its tile of a window."""
    address = _entry(row, window, _ENTRY, tiles, one)
    counts = tiles.words[address + 1]
    for number in range(_LARGE + 1):
        mask = MAX_COUNT_OF_TILE << _COUNT_BITS * number
        if added & mask and counts & mask != mask:
            counts += added & mask
    tiles.words[address + 1] = counts
    spend = (tiles.words[address] & LOW_SPEND) + spent
    tiles.words[address] = tiles.words[address] & ~LOW_SPEND | spend & LOW_SPEND
    if spend > LOW_SPEND:
        address = _entry(row, window, _REST_ENTRY, tiles, one)
        tiles.words[address + 1] += spend >> TILE_SHIFT


@compiled
def _entry(row: Row, window: int, which: int, tiles: Pages, one: Int64s) -> int:
    """Return the address of an entry of the event's own tile; add a missing one."""
    address = one[window, which]
    if address == 0:
        end = one[_LIST, _END]
        address = append(row.tile_page, end, tiles)
        if end == 0:
            row.tile_page = address >> PAGE_BITS
        kind = window if which == _ENTRY else window + _WINDOWS
        tiles.words[address] = kind << KIND_SHIFT | one[window, _OWN] << TILE_SHIFT
        tiles.words[address + 1] = 0
        one[_LIST, _END], one[_LIST, _COUNT] = address + 2, one[_LIST, _COUNT] + 1
    return int(address)
