"""Ports of a replay: the purchases to send, ingest, and its possible answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BadRow:
    """Row that cannot become a purchase; its values are never quoted."""

    row: int  # the first row of data is 1, whatever the header
    what: str  # field and column
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.what} {self.reason}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive purchases in event order, encoded, and the bad rows among them."""

    rows: list[int]
    bodies: list[bytes]
    bad: list[BadRow] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.bad)

    def without(self, refused: set[int]) -> Batch:
        """Return the batch without the purchases at these positions."""
        kept = [i for i in range(len(self.rows)) if i not in refused]
        return Batch([self.rows[i] for i in kept], [self.bodies[i] for i in kept])

    def halves(self) -> tuple[Batch, Batch]:
        """Split the batch into two halves, in order."""
        middle = len(self.rows) // 2
        return (
            Batch(self.rows[:middle], self.bodies[:middle]),
            Batch(self.rows[middle:], self.bodies[middle:]),
        )


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Answer of ingest to an accepted batch."""

    accepted: int
    repeated: int


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """Purchase of a batch that ingest refuses, by its position."""

    index: int
    field: str
    reason: str


class ReplayFailed(Exception):
    """The replay cannot continue; the message gives cause, effect and fix."""


class RetryLater(Exception):
    """Ingest asks to retry later, or (``is_answer`` False) cannot be reached now."""

    def __init__(self, why: str, *, after_seconds: float, is_answer: bool) -> None:
        super().__init__(why)
        self.after_seconds = after_seconds
        self.is_answer = is_answer


class TooLarge(Exception):
    """Ingest accepts only smaller request bodies."""


class BatchRefused(Exception):
    """Ingest refused the whole batch because of these purchases."""

    def __init__(self, refused_items: list[RefusedItem]) -> None:
        super().__init__(f"{len(refused_items)} purchases refused")
        self.refused_items = refused_items


class Ingest(Protocol):
    """Client of the ingest API."""

    def send(self, bodies: list[bytes]) -> BatchResult:
        """Send encoded purchases, in order.

        Raises:
            RetryLater: retry the same request later.
            TooLarge: nothing was accepted; send fewer at once.
            Refused: nothing was accepted; some purchases break the contract.
            ReplayFailed: a retry would not help.
        """
        ...


class ReplayPurchases(Protocol):
    """Purchases of a file in event order."""

    @property
    def count(self) -> int:
        """Number of rows to send."""
        ...

    def batches(self, start: int, size: int) -> Iterator[Batch]:
        """Yield batches of at most ``size`` rows, from position ``start`` on."""
        ...
