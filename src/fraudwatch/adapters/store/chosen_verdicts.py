"""The verdicts of a day out of Cassandra: the whole table, most of it passed over.

Of a row that nobody asked for only its place is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cassandra.cluster import Session

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.store.verdict_ranges import Row, VerdictRanges
from fraudwatch.application.reconcile import Wanted
from fraudwatch.domain.messages.verdict import Verdict


@dataclass(frozen=True, slots=True)
class _Placed:
    """As much of a verdict as says whether it is wanted."""

    source_partition: int
    source_offset: int


class CassandraChosenVerdicts:
    """Reads with the rights of a role that may only read."""

    def __init__(self, session: Session) -> None:
        """Prepare to read.

        Raises:
            StoreUnavailable: nobody answers, or the table is not there yet.
        """
        self._ranges = VerdictRanges(session)

    def chosen(self, wanted: Wanted) -> Iterator[Verdict]:
        """See :class:`fraudwatch.application.reconcile.StoredVerdicts`."""

        def take(rows: list[Row]) -> list[Verdict]:
            texts = [(name, text.encode()) for name, text in rows]
            return [decode(Verdict, text) for name, text in texts if _is_wanted(name, text, wanted)]

        for some in self._ranges.walk(take):
            yield from some


def _is_wanted(name: str, text: bytes, wanted: Wanted) -> bool:
    placed = decode(_Placed, text)
    return wanted(name, placed.source_partition, placed.source_offset)
