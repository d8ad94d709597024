"""Join the verdicts of one partition with their transactions and feature vectors.

A customer's messages are in the partition of the same number on all three topics, each in the order
of scoring, so every part is found by reading forward; only what is ahead of the oldest waiting
verdict is kept. After a crash the detector publishes a micro-batch again, and copies are equal
bytes: whichever copy is joined, the result is the same.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final, NamedTuple

from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.shadow import NOTHING_COMPARED, NotCompared

MAX_VERDICTS: Final = 2_000
MAX_VECTORS: Final = 10_000


class PublishedVerdict(NamedTuple):
    """Message of the verdict topic."""

    offset: int
    verdict: Verdict
    message: bytes
    published_at_ms: int


class PublishedVector(NamedTuple):
    """Message of the feature topic."""

    offset: int
    transaction_id: str
    features_version: str
    vector: bytes


class Joined(NamedTuple):
    """A verdict with its parts, or the reason why one is missing."""

    published: PublishedVerdict
    vector: PublishedVector | None
    transaction: bytes
    missing: NotCompared | None = None


class Join:
    """Joins in the order of verdicts, with bounded memory."""

    def __init__(
        self,
        source_offset: int = NOTHING_COMPARED,
        *,
        max_verdicts: int = MAX_VERDICTS,
        max_vectors: int = MAX_VECTORS,
    ) -> None:
        """Start after the purchase at ``source_offset``, which is joined already."""
        self._accepted_until = self._joined_until = source_offset
        self._max_verdicts, self._max_vectors = max_verdicts, max_vectors
        self._verdicts: deque[PublishedVerdict] = deque()
        self._vectors: OrderedDict[str, PublishedVector] = OrderedDict()
        self._transactions: OrderedDict[int, bytes] = OrderedDict()
        self._transactions_until = source_offset

    @property
    def wants_verdicts(self) -> bool:
        """Whether there is room for more verdicts."""
        return len(self._verdicts) < self._max_verdicts

    @property
    def wants_vectors(self) -> bool:
        """Whether the last verdict still waits for its vector."""
        return bool(self._verdicts) and not self._has_vector(self._verdicts[-1])

    @property
    def wanted_transactions(self) -> tuple[int, int] | None:
        """First and last offset of the transactions to read; None if there is none."""
        if not self._verdicts:
            return None
        last = self._verdicts[-1].verdict.source_offset
        first = max(self._transactions_until + 1, self._verdicts[0].verdict.source_offset)
        return (first, last) if first <= last else None

    @property
    def oldest(self) -> PublishedVerdict | None:
        """The verdict that has waited longest."""
        return self._verdicts[0] if self._verdicts else None

    def add_verdict(self, published: PublishedVerdict) -> bool:
        """Add a verdict; False for a copy."""
        if published.verdict.source_offset <= self._accepted_until:
            return False
        self._accepted_until = published.verdict.source_offset
        self._verdicts.append(published)
        return True

    def add_vector(self, vector: PublishedVector) -> None:
        """Add a vector; a copy of one that waits is ignored.

        Vectors are read only up to the last verdict's, so the oldest are those of no verdict here.
        """
        self._vectors.setdefault(vector.transaction_id, vector)
        if len(self._vectors) > self._max_vectors:
            self._vectors.popitem(last=False)

    def add_transaction(self, offset: int, message: bytes) -> None:
        """Add the transaction at an offset; offsets rise, and one that is skipped is gone."""
        self._transactions_until = max(self._transactions_until, offset)
        if offset > self._joined_until:
            self._transactions[offset] = message

    def take(self) -> list[Joined]:
        """Remove and return the verdicts whose parts are all known, up to the first that waits."""
        ready: list[Joined] = []
        while self._verdicts and (joined := self._join(self._verdicts[0])) is not None:
            ready.append(self._remove(joined))
        return ready

    def give_up(self) -> list[Joined]:
        """Remove and return the oldest verdict without its missing part, and what is then ready."""
        if not self._verdicts:
            return []
        published = self._verdicts[0]
        vector = self._vectors.get(published.verdict.transaction_id)
        reason = NotCompared.NO_VECTOR if vector is None else NotCompared.NO_TRANSACTION
        return [self._remove(Joined(published, vector, b"", reason)), *self.take()]

    def _join(self, published: PublishedVerdict) -> Joined | None:
        offset = published.verdict.source_offset
        transaction = self._transactions.get(offset)
        vector = self._vectors.get(published.verdict.transaction_id)
        if transaction is None:
            if self._transactions_until < offset:
                return None
            return Joined(published, vector, b"", NotCompared.NO_TRANSACTION)
        if vector is None:
            # Vectors are in the verdicts' order: where a later verdict's is, this one is gone.
            if not any(map(self._has_vector, self._verdicts)):
                return None
            return Joined(published, None, transaction, NotCompared.NO_VECTOR)
        return Joined(published, vector, transaction)

    def _has_vector(self, published: PublishedVerdict) -> bool:
        return published.verdict.transaction_id in self._vectors

    def _remove(self, joined: Joined) -> Joined:
        """Remove the oldest verdict, and what only it or an earlier one can be joined with."""
        self._verdicts.popleft()
        self._joined_until = joined.published.verdict.source_offset
        while self._transactions and next(iter(self._transactions)) <= self._joined_until:
            self._transactions.popitem(last=False)
        if joined.vector is not None:
            # A later verdict's vector, or a copy of it, always follows.
            while self._vectors and _first(self._vectors).offset <= joined.vector.offset:
                self._vectors.popitem(last=False)
        return joined


def _first(vectors: OrderedDict[str, PublishedVector]) -> PublishedVector:
    return next(iter(vectors.values()))
