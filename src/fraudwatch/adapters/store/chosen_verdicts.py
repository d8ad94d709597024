"""Read chosen verdicts from Cassandra: scan the whole table and decode only the wanted rows.

Of the other rows only the source position is decoded.
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
class _SourcePosition:
    """Fields of a verdict that decide whether it is wanted."""

    source_partition: int
    source_offset: int


class CassandraChosenVerdicts:
    """``StoredVerdicts`` read with a read-only role."""

    def __init__(self, session: Session) -> None:
        """Prepare to read.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._ranges = VerdictRanges(session)

    def chosen(self, wanted: Wanted) -> Iterator[Verdict]:

        def choose(rows: list[Row]) -> list[Verdict]:
            texts = [(name, text.encode()) for name, text in rows]
            return [decode(Verdict, text) for name, text in texts if _is_wanted(name, text, wanted)]

        for some in self._ranges.walk(choose):
            yield from some


def _is_wanted(name: str, text: bytes, wanted: Wanted) -> bool:
    position = decode(_SourcePosition, text)
    return wanted(name, position.source_partition, position.source_offset)
