"""The benchmark's even load as a timetable: the sender and everybody who measures know it."""

from __future__ import annotations

from dataclasses import dataclass


def id_of(source: str, number: int) -> str:
    """The transaction id of the load's n-th purchase."""
    return f"{source}:{number}"


@dataclass(frozen=True, slots=True)
class LivePlan:
    """When each purchase is due: known to everybody who measures."""

    begin_at_ms: int
    per_second: int
    seconds: int
    warm_up_seconds: int

    @property
    def count(self) -> int:
        """Purchases in all, those of the warm-up included."""
        return self.per_second * (self.seconds + self.warm_up_seconds)

    @property
    def first_counted(self) -> int:
        """The first purchase after the warm-up."""
        return self.per_second * self.warm_up_seconds

    def due_ms(self, number: int) -> float:
        """When the n-th purchase happens, by the clock and whatever else is late."""
        return self.begin_at_ms + number * 1000 / self.per_second
