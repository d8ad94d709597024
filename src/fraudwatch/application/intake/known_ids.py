"""Recognise repeated transaction ids of the last weeks: a filter decides what is looked up.

The filter never decides more than that. An id that it does not have is new; one that it may have is
looked up with its content hash among the stored verdicts; and without an answer the message is
accepted, as a new one is. Ids are added before their messages are published: an id too many costs a
look-up, and a missing one would be a repeat that nothing recognises.
"""

from __future__ import annotations

import logging
import threading
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol

from fraudwatch.application.ports import StoreUnavailable, VerdictLookup
from fraudwatch.domain.id_filter import IdFilter, Segment

log = logging.getLogger("ingest")
_NONE: Final[Mapping[str, str | None]] = {}


class LogPositions(NamedTuple):
    """End offsets by partition, of transactions and of their verdicts."""

    transactions: Mapping[int, int]
    verdicts: Mapping[int, int]


class ScoredId(NamedTuple):
    """Transaction that has a verdict, and its own place in the log of transactions."""

    transaction_id: str
    partition: int
    offset: int


class LookupCounts(Protocol):
    """Counts what the filter made ingest look up."""

    def __call__(self, *, found: int = 0, missing: int = 0, unavailable: int = 0) -> None:
        """Count ids by what the store answered; a missing one was a false positive."""


def _uncounted(*, found: int = 0, missing: int = 0, unavailable: int = 0) -> None:
    """Count nothing."""


@dataclass(slots=True)
class KnownIds:
    """The filter for any thread, and the store that is asked about its ids."""

    filter: IdFilter
    stored: VerdictLookup
    now_ms: Callable[[], int]
    count: LookupCounts = _uncounted
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, transaction_ids: Sequence[str]) -> None:
        """Add the ids of messages that are about to be published, or were."""
        with self._lock:
            self.filter.add(transaction_ids, self.now_ms())

    def hashes_of(self, transaction_ids: Collection[str]) -> Mapping[str, str | None]:
        """Return the content hashes of those that were accepted before, as far as it is known."""
        with self._lock:
            maybe = self.filter.maybe(transaction_ids)
        if not maybe:
            return _NONE
        try:
            found = self.stored.verdicts_of(maybe)
        except StoreUnavailable as error:
            log.debug("%s", error)
            self.count(unavailable=len(maybe))
            return _NONE
        self.count(found=len(found), missing=len(maybe) - len(found))
        return {name: verdict.content_hash for name, verdict in found.items()}

    def copied(self, saved_ids: Mapping[int, int]) -> list[Segment]:
        """Copy the segments, without the bits of those that have as many ids as were saved."""
        with self._lock:
            return [
                replace(
                    one, bits=array("Q") if saved_ids.get(one.number) == one.ids else one.bits[:]
                )
                for one in self.filter.segments
            ]


class ScoredLog(Protocol):
    """The log of verdicts, which has every transaction that was scored."""

    def positions(self) -> LogPositions:
        """Return the end offsets as they are now.

        Raises:
            ConnectionError: the broker does not answer.
        """

    def read(
        self,
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        handle: Callable[[Sequence[ScoredId]], None],
    ) -> None:
        """Hand over lists of scored ids from ``starts``, or what retention has left, to ``ends``.

        Raises:
            ConnectionError: the broker does not answer; the same call may be repeated.
        """


class FilterStore(Protocol):
    """Keeps the filter on disk."""

    @property
    def saved_ids(self) -> Mapping[int, int]:
        """Return how many ids each segment on disk has, by its number."""

    def save(self, segments: Sequence[Segment], covered: LogPositions) -> None:
        """Replace what is on disk, durably; a segment without bits stays as it was saved."""


@dataclass(slots=True)
class IdCatchUp:
    """Brings the filter to the end of the log, and saves it with the positions that it covers.

    Ids are added before they are published, so that a copy of the filter has every id before the
    end offsets that were read before the copy. After a start it lacks what was accepted since the
    last save: these ids are read from the verdicts, once they are published. Ingest needs no right
    to read transactions for that.
    """

    known: KnownIds
    log: ScoredLog
    store: FilterStore
    covered: LogPositions | None = None
    """Positions that the loaded filter covers; None: there was none."""
    _missing: dict[int, int] | None = None

    @property
    def is_complete(self) -> bool:
        """Check whether the filter has every id that the log has."""
        return self._missing is not None and not self._missing

    def step(self) -> None:
        """Read on as far as there is more, then save.

        Raises:
            ConnectionError: the broker does not answer; the next step continues.
        """
        ends = self.log.positions()
        covered = self.covered or LogPositions({}, {})
        if self._missing is None:
            self._missing = {
                partition: end
                for partition, end in ends.transactions.items()
                if end and end != covered.transactions.get(partition, 0)
            }
        if self._missing:
            self.log.read(covered.verdicts, ends.verdicts, self._add)
            covered = LogPositions(covered.transactions, ends.verdicts)
        self.covered = covered if self._missing else ends
        self.store.save(self.known.copied(self.store.saved_ids), self.covered)

    def _add(self, scored: Sequence[ScoredId]) -> None:
        self.known.add([one.transaction_id for one in scored])
        missing = self._missing or {}
        for one in scored:
            if one.offset + 1 >= missing.get(one.partition, one.offset + 2):
                missing.pop(one.partition, None)
