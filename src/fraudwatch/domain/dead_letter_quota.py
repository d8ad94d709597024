"""Limit the dead letters of a source in a minute, by their number and by their share.

Both must be exceeded: a busy source with few bad messages goes on, and so does a quiet one with a
bad message now and then.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

_TILE_MS: Final = 1_000
_TILES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaLimits:
    """Dead letters that a source may have in a minute: more than both is too many."""

    per_minute: int
    share_ratio: float

    def are_exceeded(self, messages: int, dead_letters: int) -> bool:
        """Check the counts of a minute."""
        return dead_letters > self.per_minute and dead_letters > self.share_ratio * messages


@dataclass(slots=True)
class _Tile:
    second: int
    messages: int = 0
    dead_letters: int = 0


@dataclass(slots=True)
class MinuteCounts:
    """Messages of a source in the last minute, in tiles of a second."""

    messages: int = 0
    dead_letters: int = 0
    _tiles: deque[_Tile] = field(default_factory=deque)

    def add(self, messages: int, dead_letters: int, now_ms: int) -> None:
        """Count messages, the dead letters among them; a clock that steps back changes nothing."""
        second = now_ms // _TILE_MS
        if not self._tiles or self._tiles[-1].second < second:
            self._tiles.append(_Tile(second))
        newest = self._tiles[-1]
        newest.messages += messages
        newest.dead_letters += dead_letters
        self.messages += messages
        self.dead_letters += dead_letters
        while self._tiles[0].second <= newest.second - _TILES:
            oldest = self._tiles.popleft()
            self.messages -= oldest.messages
            self.dead_letters -= oldest.dead_letters
