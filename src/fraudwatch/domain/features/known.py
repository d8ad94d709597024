"""Fold the categories, merchants, devices and countries that are known of a customer.

They are one list, in the order in which they took their slots. An entry's first word is the key,
its second one holds when it was last used, its kind, and how often a category was. Only approved
purchases count: what a thief tries and does not get is no habit of the customer's.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, MAX_CATEGORY_COUNT
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.packed_rows import Row
from fraudwatch.domain.features.pages import PAGE_BITS, Pages, append, next_word

_CATEGORY_SHARE = FEATURE_INDEX["category_share_ratio"]
_CATEGORY, _MERCHANT, _DEVICE, _COUNTRY = 0, 1, 2, 3
_KINDS = 4
# By kind: how many are kept, and the features; a category has others.
_SLOTS = np.array([8, 32, 8, 8])
_IS_NEW = np.array([FEATURE_INDEX[f"is_new_{one}"] for one in ("merchant", "device", "country")])
_KNOWN_COUNT = np.array(
    [FEATURE_INDEX[f"known_{one}_count"] for one in ("merchants", "devices", "countries")]
)
_UNKNOWN = 0
_NOT_FOUND = 0
# Values of a kind: the event's key, the address of its entry, how many are known, the address of
# the least recently used one's entry, and when that was used.
_KEY, _ENTRY, _KNOWN, _OLDEST, _OLDEST_MS = 0, 1, 2, 3, 4
# Values of the list, in a row behind the kinds: where it ends, its number of entries, how often the
# event's category was, and all of them.
_LIST, _END, _COUNT, _OF_CATEGORY, _OF_ALL = _KINDS, 0, 1, 2, 3
# The second word: epoch ms of 42 bits (until the year 2109), kind, count of 20 bits.
_TIME_SHIFT, _TIME_MASK = 22, (1 << 42) - 1
_KIND_SHIFT, _KIND_MASK = 20, 3


@compiled
def note_keys(i: int, events: Events, one: Int64s) -> None:
    """Note the keys of an event."""
    one[:] = 0
    one[_CATEGORY, _KEY] = np.int64(events.category_key[i])
    one[_MERCHANT, _KEY] = np.int64(events.merchant_key[i])
    one[_DEVICE, _KEY] = np.int64(events.device_key[i])
    one[_COUNTRY, _KEY] = np.int64(events.country_key[i])


@compiled
def fold_known(
    i: int,
    row: Row,
    at_ms: int,
    is_approved: bool,  # noqa: FBT001  compiled functions have positional arguments only
    known: Pages,
    one: Int64s,
    out: Float64s,
) -> None:
    """Check whether merchant, device and country are new, and the share of the category."""
    _find(row, known, one)
    if one[_CATEGORY, _KEY] != _UNKNOWN and one[_LIST, _OF_ALL] > 0:
        out[i, _CATEGORY_SHARE] = one[_LIST, _OF_CATEGORY] / one[_LIST, _OF_ALL]
    for kind in range(_MERCHANT, _KINDS):
        out[i, _KNOWN_COUNT[kind - 1]] = one[kind, _KNOWN]
        if one[kind, _KEY] != _UNKNOWN and one[kind, _KNOWN] > 0:
            out[i, _IS_NEW[kind - 1]] = one[kind, _ENTRY] == _NOT_FOUND
    if is_approved:
        for kind in range(_KINDS):
            if one[kind, _KEY] != _UNKNOWN:
                _use(row, kind, at_ms, known, one)
        row.known_count = one[_LIST, _COUNT]


@compiled
def _find(row: Row, known: Pages, one: Int64s) -> None:
    """Find the keys of the event, the least recently used of each kind, and count all."""
    address, count = int(row.known_page) << PAGE_BITS, int(row.known_count)
    for number in range(count):
        if number:
            address = next_word(address + 2, known)
        key, about = known.words[address], known.words[address + 1]
        kind, used_ms = (about >> _KIND_SHIFT) & _KIND_MASK, (about >> _TIME_SHIFT) & _TIME_MASK
        if one[kind, _KNOWN] == 0 or used_ms < one[kind, _OLDEST_MS]:
            one[kind, _OLDEST], one[kind, _OLDEST_MS] = address, used_ms
        one[kind, _KNOWN] += 1
        if key == one[kind, _KEY]:
            one[kind, _ENTRY] = address
            one[_LIST, _OF_CATEGORY] += about & MAX_CATEGORY_COUNT
        one[_LIST, _OF_ALL] += about & MAX_CATEGORY_COUNT  # 0 of all other kinds
    one[_LIST, _END], one[_LIST, _COUNT] = address + 2 if count else 0, count


@compiled
def _use(row: Row, kind: int, at_ms: int, known: Pages, one: Int64s) -> None:
    """Note when the key was used; a new one takes a free slot or that of the oldest."""
    address, used_ms, count = one[kind, _ENTRY], at_ms, 1
    if address != _NOT_FOUND:
        about = known.words[address + 1]
        used_ms = max(at_ms, (about >> _TIME_SHIFT) & _TIME_MASK)
        count = min((about & MAX_CATEGORY_COUNT) + 1, MAX_CATEGORY_COUNT)
    elif one[kind, _KNOWN] < _SLOTS[kind]:
        address = append(row.known_page, one[_LIST, _END], known)
        if one[_LIST, _END] == 0:
            row.known_page = address >> PAGE_BITS
        one[_LIST, _END], one[_LIST, _COUNT] = address + 2, one[_LIST, _COUNT] + 1
    elif one[kind, _OLDEST_MS] <= at_ms:
        address = one[kind, _OLDEST]
    else:
        return
    known.words[address] = one[kind, _KEY]
    about = used_ms << _TIME_SHIFT | kind << _KIND_SHIFT | (count if kind == _CATEGORY else 0)
    known.words[address + 1] = about
