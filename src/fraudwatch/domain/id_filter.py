"""Filter of accepted transaction ids: none of them is missing, and few others seem to be in it.

Split-block Bloom filters: an id sets one bit in each of the eight words of one block, so that a
check reads one place a segment. A segment is closed when it is full or a day old, and dropped when
its newest id is older than what is kept. Plain Python, because ingest has no numpy.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

from fraudwatch.domain.time_units import DAY_MS

KEPT_DAYS: Final = 35
MAX_SEGMENTS: Final = 64
BITS_PER_ID: Final = 24
BYTES_PER_MILLION_IDS: Final = 1_000_000 * BITS_PER_ID // 8
# Of a filter whose segments are all full; measured in its test.
MAX_FALSE_POSITIVE_RATIO: Final = 0.01

_WORDS: Final = 8
_WORD_BITS: Final = 6  # 64 positions
_BLOCK_BYTES: Final = _WORDS * 8


class _Bits(NamedTuple):
    """Place of an id: a number that chooses its block, and a bit for each word of the block."""

    place: int
    masks: tuple[int, ...]

    def start_of(self, words: int) -> int:
        """Return the first word of its block among these words."""
        return self.place % (words // _WORDS) * _WORDS


def _bits_of(transaction_id: str) -> _Bits:
    digest = blake2b(transaction_id.encode(), digest_size=16).digest()
    chosen = int.from_bytes(digest[8:], "little")
    masks = (1 << ((chosen >> _WORD_BITS * word) & 63) for word in range(_WORDS))
    return _Bits(int.from_bytes(digest[:8], "little"), tuple(masks))


@dataclass(slots=True)
class Segment:
    """Ids of one interval of time. Its number is never used again."""

    number: int
    opened_at_ms: int
    newest_at_ms: int
    ids: int
    bits: array[int]

    @property
    def capacity(self) -> int:
        """Return how many ids it holds before it is closed."""
        return len(self.bits) * 64 // BITS_PER_ID

    def set(self, one: _Bits) -> None:
        """Set all bits of an id."""
        start = one.start_of(len(self.bits))
        for word, mask in enumerate(one.masks):
            self.bits[start + word] |= mask


@dataclass(slots=True)
class IdFilter:
    """Segments within ``max_bytes``, the oldest first; above it the oldest is dropped early."""

    max_bytes: int
    segments: list[Segment] = field(default_factory=list)

    def maybe(self, transaction_ids: Iterable[str]) -> list[str]:
        """Return the ids that may have been accepted; the others were not."""
        return [one for one in transaction_ids if self._has(_bits_of(one))]

    def add(self, transaction_ids: Iterable[str], now_ms: int) -> int:
        """Add ids; return how many seemed to be new."""
        added = 0
        for name in transaction_ids:
            one = _bits_of(name)
            if not self._has(one):
                segment = self._open_segment(now_ms)
                segment.set(one)
                segment.ids += 1
                segment.newest_at_ms = max(segment.newest_at_ms, now_ms)
                added += 1
        return added

    @property
    def ids(self) -> int:
        """Return the number of ids."""
        return sum(segment.ids for segment in self.segments)

    @property
    def since_ms(self) -> int | None:
        """Return since when ids are kept; None before the first."""
        return self.segments[0].opened_at_ms if self.segments else None

    def _has(self, one: _Bits) -> bool:
        # Written out, as every purchase passes here: the first word decides most of the time.
        first, *others = one.masks
        words, start = 0, 0
        for segment in self.segments:
            bits = segment.bits
            if len(bits) != words:  # all have one size, until the limit is changed
                words = len(bits)
                start = one.start_of(words)
            if bits[start] & first:
                at = start
                for mask in others:
                    at += 1
                    if not bits[at] & mask:
                        break
                else:
                    return True
        return False

    def _open_segment(self, now_ms: int) -> Segment:
        newest = self.segments[-1] if self.segments else None
        if newest and newest.ids < newest.capacity and now_ms - newest.opened_at_ms < DAY_MS:
            return newest
        oldest_ms = now_ms - KEPT_DAYS * DAY_MS
        kept = [segment for segment in self.segments if segment.newest_at_ms >= oldest_ms]
        self.segments = kept[-(MAX_SEGMENTS - 1) :]
        number = newest.number + 1 if newest else 0
        blocks = max(self.max_bytes // MAX_SEGMENTS // _BLOCK_BYTES, 1)
        self.segments.append(
            Segment(number, now_ms, now_ms, 0, array("Q", bytes(blocks * _BLOCK_BYTES)))
        )
        return self.segments[-1]
