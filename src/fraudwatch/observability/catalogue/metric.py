"""Declare one metric: kind, unit, meaning, labels, and when to worry about its value."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

LATENCY_SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
NEVER_ALONE: Final = "never by itself; read it beside others"
"""Worry-when of a metric that no value of which is a reason to act."""


class Kind(enum.StrEnum):
    """Kind of a metric, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Unit(enum.StrEnum):
    """Unit of a metric's value."""

    SECONDS = "seconds"
    EPOCH_SECONDS = "seconds since 1970"
    BYTES = "bytes"
    RATIO = "ratio, 0 to 1"
    COUNT = "count"
    FLAG = "1 or 0"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Label:
    """Label of a metric. A closed set of values is listed, or computed where it is used."""

    name: str
    values: tuple[str, ...] | Callable[[], Iterable[str]] | None = None  # None: an open set

    def closed_values(self) -> tuple[str, ...] | None:
        """Return all values, or None if the set is open."""
        values = self.values() if callable(self.values) else self.values
        return None if values is None else tuple(str(value) for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric, by the name that it has in a scrape.

    ``initial`` is the value of a gauge before the first event; NaN where it is unknown by then.
    """

    name: str
    kind: Kind
    unit: Unit
    meaning: str
    worry_when: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = LATENCY_SECONDS
    initial: float = 0.0

    @property
    def label_names(self) -> tuple[str, ...]:
        """Return the names of its labels."""
        return tuple(label.name for label in self.labels)

    def known_series(self, own: Mapping[str, str]) -> list[tuple[str, ...]]:
        """Return the label values of every series that exists from the start.

        Empty if there is no label, or one of an open set. ``own`` fixes the value of a label for a
        process that has no other.
        """
        sets = [
            (own[label.name],) if label.name in own else label.closed_values()
            for label in self.labels
        ]
        closed = [values for values in sets if values is not None]
        if not sets or len(closed) < len(sets):
            return []
        return list(itertools.product(*closed))


@dataclass(frozen=True, slots=True)
class Section:
    """Metrics of one process or of a few similar ones, with the processes' job labels."""

    title: str
    jobs: tuple[str, ...]  # empty: whichever service has them
    about: str
    metrics: tuple[Metric, ...]
