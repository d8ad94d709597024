"""Schedule of the benchmark's even load, shared by the sender and the measurements."""

from __future__ import annotations

from dataclasses import dataclass


def id_of(source: str, number: int) -> str:
    """Return the transaction id of the load's n-th purchase."""
    return f"{source}:{number}"


@dataclass(frozen=True, slots=True)
class LivePlan:
    """Due time of each purchase at a constant rate, after a warm-up."""

    begin_at_ms: int
    per_second: int
    seconds: int
    warm_up_seconds: int

    @property
    def count(self) -> int:
        """Number of purchases, those of the warm-up included."""
        return self.per_second * (self.seconds + self.warm_up_seconds)

    @property
    def first_counted(self) -> int:
        """Number of the first purchase after the warm-up."""
        return self.per_second * self.warm_up_seconds

    def due_ms(self, number: int) -> float:
        """Return the due time of the n-th purchase, epoch ms, independent of any delay."""
        return self.begin_at_ms + number * 1000 / self.per_second
