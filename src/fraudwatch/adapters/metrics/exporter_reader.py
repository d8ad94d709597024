"""Read ``/metrics`` of several exporters at once, each within a short time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from fraudwatch.application.operations.exporters import ExporterReading, Readings, Sample

# A page waits for the slowest one.
TIMEOUT_SECONDS: Final = 2.0
# So much more than any of them answers that a larger answer is of another program.
_LONGEST_ANSWER_BYTES: Final = 4_000_000


class HttpExporters:
    """``Exporters`` over HTTP, by name and address; only the named metrics are kept."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        names: Collection[str],
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._addresses, self._names = dict(addresses), frozenset(names)
        self._client = httpx.Client(
            timeout=timeout_seconds,
            transport=transport,
            trust_env=False,  # no proxy between a machine and itself
        )

    def read(self) -> Readings:
        if not self._addresses:
            return Readings()
        with ThreadPoolExecutor(len(self._addresses), "exporters") as threads:
            return Readings(tuple(threads.map(self._reading, self._addresses)))

    def _reading(self, exporter: str) -> ExporterReading:
        address = self._addresses[exporter]
        try:
            answer = self._client.get(address)
        except httpx.TransportError as error:
            reason = f"{address} does not answer ({type(error).__name__})"
            return ExporterReading(exporter=exporter, failure=reason)
        if answer.status_code != HTTPStatus.OK:
            reason = f"{address} answers {answer.status_code}"
            return ExporterReading(exporter=exporter, failure=reason)
        if len(answer.content) > _LONGEST_ANSWER_BYTES:
            reason = f"{address} answers with {len(answer.content):,} bytes"
            return ExporterReading(exporter=exporter, failure=reason)
        try:
            return ExporterReading(exporter=exporter, samples=self._samples(answer.text))
        except (ValueError, KeyError, IndexError):
            return ExporterReading(exporter=exporter, failure=f"{address} answers with no metrics")

    def _samples(self, text: str) -> tuple[Sample, ...]:
        return tuple(
            Sample(one.name, dict(one.labels), one.value)
            for family in text_string_to_metric_families(text)
            for one in family.samples
            if one.name in self._names
        )
