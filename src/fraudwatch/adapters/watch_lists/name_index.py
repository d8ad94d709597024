"""Find the most similar name of many, by blocks, with rapidfuzz."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from rapidfuzz import fuzz, process

from fraudwatch.domain.messages.transaction import WatchListCountry
from fraudwatch.domain.watch_lists import (
    LEAST_SIMILARITY,
    NameMatch,
    WatchListEntry,
    blocks_of,
    compared,
    normal_form,
)

_PERCENT: Final = 100
_DECIMALS: Final = 4
# Of equally similar entries.
_ORDER: Final = (WatchListCountry.SAME, None, WatchListCountry.OTHER)


class NamedList(NamedTuple):
    """Entries of one list, and ``list@version``."""

    version: str
    entries: tuple[WatchListEntry, ...]

    @property
    def names(self) -> int:
        """Names and aliases of all entries."""
        return sum(len(entry.names) for entry in self.entries)


class NameIndex:
    """Names of lists in their normal form, each with the entries that have it. Immutable."""

    def __init__(self, lists: Iterable[NamedList]) -> None:
        self._entries: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
        for version, entries in lists:
            for entry in entries:
                named = (f"{version}:{entry.entry_id}", entry.countries)
                for name in {normal_form(name) for name in entry.names} - {""}:
                    self._entries[name].append(named)
        blocks: dict[str, list[str]] = defaultdict(list)
        for name in self._entries:
            for block in blocks_of(name):
                blocks[block].append(name)
        self._blocks = dict(blocks)

    @property
    def names(self) -> int:
        """Number of different names."""
        return len(self._entries)

    def best_match(self, name: str, countries: frozenset[str]) -> NameMatch | None:
        """See :class:`fraudwatch.application.intake.screening.WatchLists`."""
        similar = self._similar(normal_form(name))
        if not similar:
            return None
        percent = max(similar.values())
        matches = (
            NameMatch(entry, round(percent / _PERCENT, _DECIMALS), compared(countries, theirs))
            for one, score in similar.items()
            if score == percent
            for entry, theirs in self._entries[one]
        )
        return min(matches, key=lambda one: (_ORDER.index(one.country), one.entry))

    def _similar(self, normal: str) -> dict[str, float]:
        """Return the similar names in percent.

        Few are in two blocks: comparing them twice costs less than a set of all of a block's names.
        """
        blocks = (self._blocks.get(block, ()) for block in blocks_of(normal))
        return {
            name: percent
            for names in blocks
            for name, percent, _ in process.extract(
                normal,
                names,
                scorer=fuzz.ratio,
                score_cutoff=LEAST_SIMILARITY * _PERCENT,
                limit=None,
            )
        }
