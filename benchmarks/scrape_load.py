"""Scrape every page of metrics of a stack at an interval, as Prometheus does, and time it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

# As Prometheus asks: compressed OpenMetrics.
_HEADERS: Final = {
    "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}
_TIMEOUT_SECONDS: Final = 5.0


@dataclass(slots=True)
class ScrapeCost:
    """Duration and size of the scrapes of each page, and their processor time at this end."""

    milliseconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    page_bytes: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    cpu_seconds: float = 0.0

    def report(self) -> dict[str, Any]:
        """Return mean and longest milliseconds, and bytes, by page."""
        pages = {
            name: {
                "scrapes": len(took),
                "mean_ms": round(sum(took) / len(took), 1),
                "max_ms": round(max(took), 1),
                "bytes": self.page_bytes[name],
            }
            for name, took in sorted(self.milliseconds.items())
        }
        return {
            "pages": pages,
            "failures": self.failures,
            "scraper_cpu_seconds": round(self.cpu_seconds, 2),
        }


@contextmanager
def scraping(urls: Mapping[str, str], every_seconds: float) -> Iterator[ScrapeCost]:
    """Scrape these pages by name for as long as the block runs."""
    cost, over = ScrapeCost(), threading.Event()
    scraper = threading.Thread(
        target=_scrape_until, args=(over, urls, every_seconds, cost), name="scraper"
    )
    scraper.start()
    try:
        yield cost
    finally:
        over.set()
        scraper.join()


def _scrape_until(
    over: threading.Event, urls: Mapping[str, str], every_seconds: float, cost: ScrapeCost
) -> None:
    began = time.monotonic()
    with httpx.Client(headers=_HEADERS, timeout=_TIMEOUT_SECONDS) as client:
        for number in range(1_000_000):
            for name, url in urls.items():
                _scrape(client, name, url, cost)
            cost.cpu_seconds = time.thread_time()
            if over.wait(max(0.0, began + (number + 1) * every_seconds - time.monotonic())):
                return


def _scrape(client: httpx.Client, name: str, url: str, cost: ScrapeCost) -> None:
    began = time.perf_counter()
    try:
        page = client.get(url).raise_for_status().content
    except httpx.HTTPError:
        cost.failures += 1
        return
    cost.milliseconds[name].append(1000 * (time.perf_counter() - began))
    cost.page_bytes[name] = len(page)
