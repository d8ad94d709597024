"""Query Prometheus for the series of dashboards over a time range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx
import numpy as np
from numpy.typing import NDArray

from exporters.render_dashboards.dashboard_files import DashboardPanel, Target

_RATE_INTERVAL: Final = "$__rate_interval"
_POINTS: Final = 240
_LEAST_STEP_SECONDS: Final = 5
_SCRAPES_IN_A_RATE: Final = 4
_LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_TIMEOUT_SECONDS: Final = 30.0


class PrometheusError(Exception):
    """Prometheus cannot be reached, or refuses a query; the message has cause, effect and fix."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its name in the legend, times in epoch seconds, values (NaN: none)."""

    name: str
    times: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def has_data(self) -> bool:
        """Whether it has any value; infinite ones count."""
        return bool(np.any(~np.isnan(self.values)))

    @property
    def last(self) -> float:
        """Its last value."""
        return float(self.values[~np.isnan(self.values)][-1])


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Range of a picture, in epoch seconds, and the distance of two scrapes."""

    start: float
    end: float
    scrape_seconds: int

    @property
    def step(self) -> int:
        """Seconds between two points."""
        return max(_LEAST_STEP_SECONDS, round((self.end - self.start) / _POINTS))

    @property
    def rate_interval(self) -> str:
        """Value of Grafana's $__rate_interval."""
        seconds = max(self.scrape_seconds + self.step, _SCRAPES_IN_A_RATE * self.scrape_seconds)
        return f"{seconds}s"


class Prometheus:
    """Client of one Prometheus for one time range."""

    def __init__(self, client: httpx.Client, within: TimeRange) -> None:
        self._client = client
        self._within = within

    def series_of(self, panel: DashboardPanel) -> list[Series]:
        """Return all series of a panel that have data.

        Raises:
            PrometheusError: it cannot be reached, or refuses a query.
        """
        found = [series for target in panel.targets for series in self._series(target)]
        return [series for series in found if series.has_data]

    def _series(self, target: Target) -> list[Series]:
        within = self._within
        query = target.expression.replace(_RATE_INTERVAL, within.rate_interval)
        form = {"query": query, "start": within.start, "end": within.end, "step": within.step}
        try:
            answer = self._client.post("/api/v1/query_range", data=form)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PrometheusError(
                f"Prometheus at {self._client.base_url} does not answer ({error}), so nothing was "
                "drawn; start the stack, or name another address with --prometheus"
            ) from error
        if body.get("status") != "success":
            raise PrometheusError(f"Prometheus refuses {query}: {body.get('error')}")
        return [self._one(raw["metric"], raw["values"], target) for raw in body["data"]["result"]]

    def _one(self, labels: Mapping[str, str], pairs: list[list[str]], target: Target) -> Series:
        """Return a series on the range's own times, NaN where Prometheus has no value."""
        times = np.arange(self._within.start, self._within.end + 1, self._within.step)
        values = np.full(len(times), np.nan)
        points = np.array(pairs, dtype=np.float64)
        places = np.rint((points[:, 0] - self._within.start) / self._within.step).astype(int)
        values[places] = points[:, 1]
        return Series(
            _LABEL.sub(lambda name: labels.get(name[1], ""), target.legend), times, values
        )


def client_of(address: str) -> httpx.Client:
    """Return a client of a Prometheus address; proxies of the environment are not used."""
    return httpx.Client(base_url=address, timeout=_TIMEOUT_SECONDS, trust_env=False)
