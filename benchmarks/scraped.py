"""Scrape a service's Prometheus metrics from ``/metrics``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scrape:
    """All samples of one scrape."""

    samples: Mapping[tuple[str, Labels], float]

    @classmethod
    def of(cls, port: int) -> Scrape:
        """Scrape the port once."""
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).raise_for_status().text
        return cls(
            {
                (sample.name, tuple(sorted(sample.labels.items()))): sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }
        )

    def value(self, name: str, **labels: str) -> float:
        """Return one sample; 0 while nothing was counted under these labels."""
        return self.samples.get((name, tuple(sorted(labels.items()))), 0.0)

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return all samples of a metric by the value of one label."""
        return {
            dict(labels)[label]: value
            for (sample_name, labels), value in self.samples.items()
            if sample_name == name
        }
