"""Ports of a replay: the purchases to send, ingest, and its possible answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BadRow:
    """Row that cannot become a purchase or a refund; its values are never quoted."""

    row: int  # the first row of data is 1, whatever the header
    what: str  # field and column
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.what} {self.reason}"


@dataclass(frozen=True, slots=True)
class Part:
    """Encoded purchases, or encoded refunds, of one request, with their rows."""

    rows: list[int]
    bodies: list[bytes]
    is_refund: bool = False

    def without(self, refused: set[int]) -> Part:
        """Return the part without the messages at these positions."""
        kept = [i for i in range(len(self.rows)) if i not in refused]
        return Part([self.rows[i] for i in kept], [self.bodies[i] for i in kept], self.is_refund)

    def halves(self) -> tuple[Part, Part]:
        """Split the part into two halves, in order."""
        middle = len(self.rows) // 2
        return (
            Part(self.rows[:middle], self.bodies[:middle], self.is_refund),
            Part(self.rows[middle:], self.bodies[middle:], self.is_refund),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows: parts to send in order, and the bad rows among them.

    A replay resumes between batches only, because the parts are not in the order of the rows.
    """

    parts: list[Part]
    bad: list[BadRow] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.bad)

    @property
    def rows(self) -> list[int]:
        """Row numbers of all messages, as sent."""
        return [row for part in self.parts for row in part.rows]

    @property
    def bodies(self) -> list[bytes]:
        """All messages, as sent."""
        return [body for part in self.parts for body in part.bodies]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Answer of ingest to an accepted batch."""

    accepted: int
    repeated: int


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """Message of a request that ingest refuses, by its position."""

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
    """Ingest refused the whole request because of these messages."""

    def __init__(self, refused_items: list[RefusedItem]) -> None:
        super().__init__(f"{len(refused_items)} messages refused")
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

    def send_refunds(self, bodies: list[bytes]) -> BatchResult:
        """Send encoded refunds; results and errors as for purchases."""
        ...


class ReplayPurchases(Protocol):
    """Purchases of a file in event order, and the refunds among them."""

    @property
    def count(self) -> int:
        """Number of rows to send."""
        ...

    def batches(self, start: int, size: int) -> Iterator[Batch]:
        """Yield batches of at most ``size`` rows, from position ``start`` on."""
        ...
