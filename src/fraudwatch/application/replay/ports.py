"""What a replay talks to, and every answer it can get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that makes no purchase; its values are never quoted."""

    row: int  # the first row of data is 1, whatever the header
    what: str  # field and column
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.what} {self.reason}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive purchases in event order, encoded, and the rows among them that make none."""

    rows: list[int]
    bodies: list[bytes]
    bad: list[BadRow] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.bad)

    def without(self, refused: set[int]) -> Batch:
        """The same purchases without those at these positions."""
        kept = [i for i in range(len(self.rows)) if i not in refused]
        return Batch([self.rows[i] for i in kept], [self.bodies[i] for i in kept])

    def halves(self) -> tuple[Batch, Batch]:
        """Both halves, in order."""
        middle = len(self.rows) // 2
        return (
            Batch(self.rows[:middle], self.bodies[:middle]),
            Batch(self.rows[middle:], self.bodies[middle:]),
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """What the edge did with a batch."""

    accepted: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Objection:
    """One purchase of a batch that the edge refuses, by its position there."""

    index: int
    field: str
    reason: str


class ReplayFailed(Exception):
    """The replay cannot go on; the message says cause, effect and fix."""


class NotNow(Exception):
    """The edge asks to come back later, or (``is_answer`` False) cannot be reached just now."""

    def __init__(self, why: str, *, after_seconds: float, is_answer: bool) -> None:
        super().__init__(why)
        self.after_seconds = after_seconds
        self.is_answer = is_answer


class TooLarge(Exception):
    """The edge takes smaller bodies only."""


class Refused(Exception):
    """The edge took nothing of this batch because of these purchases."""

    def __init__(self, objections: list[Objection]) -> None:
        super().__init__(f"{len(objections)} purchases refused")
        self.objections = objections


class Ingest(Protocol):
    """The edge of the platform."""

    def send(self, bodies: list[bytes]) -> Taken:
        """Hand over encoded purchases, in order.

        Raises:
            NotNow: come back later.
            TooLarge: nothing taken, send less at once.
            Refused: nothing taken, some purchases break the contract.
            ReplayFailed: no use in trying again.
        """
        ...


class Purchases(Protocol):
    """A file's purchases in event order."""

    @property
    def count(self) -> int:
        """How many rows there are to send."""
        ...

    def batches(self, start: int, size: int) -> Iterator[Batch]:
        """From position ``start`` on, at most ``size`` rows at a time."""
        ...
