"""Memory twins of exporters and DAG runs, for tests of the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fraudwatch.application.operations.dag_runs import DagOverview, DagRun, DagRunsUnavailable
from fraudwatch.application.operations.exporters import ExporterReading, Readings, Sample


@dataclass
class MemoryExporters:
    """``Exporters`` with samples by exporter; those in ``down`` do not answer."""

    samples: dict[str, tuple[Sample, ...]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)

    def read(self) -> Readings:
        return Readings(
            tuple(
                ExporterReading(exporter=name, failure="it does not answer")
                if name in self.down
                else ExporterReading(exporter=name, samples=samples)
                for name, samples in self.samples.items()
            )
        )


@dataclass
class MemoryDagRuns:
    """``DagRuns`` in a list, oldest first; a test switches them off."""

    runs: list[DagRun] = field(default_factory=list)
    paused: Sequence[str] = ()
    is_down: bool = False

    def overview(self, limit: int) -> DagOverview:
        if self.is_down:
            raise DagRunsUnavailable("Airflow does not answer")
        return DagOverview(self.runs[::-1][:limit], self.paused)
