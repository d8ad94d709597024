"""Samples that services export at ``/metrics``, and the port that reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric, with its labels."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterReading:
    """Samples of one exporter, or the reason why there are none."""

    exporter: str
    samples: tuple[Sample, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of all exporters at one time."""

    all: Sequence[ExporterReading] = field(default_factory=tuple)

    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the samples of a metric, of every exporter that has it."""
        for reading in self.all:
            yield from (one for one in reading.samples if one.name == name)

    def value(self, name: str) -> float | None:
        """Return the value of a metric without labels, or None."""
        return next((one.value for one in self.samples(name)), None)

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """Return the values of a metric by one of its labels."""
        return {one.labels[label]: one.value for one in self.samples(name)}

    def failed(self) -> list[ExporterReading]:
        """Return the readings that failed."""
        return [one for one in self.all if one.failure is not None]


class Exporters(Protocol):
    """Exporters of the services."""

    def read(self) -> Readings:
        """Read every exporter; the failure of one is in its reading, and no other one's."""
