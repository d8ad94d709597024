"""Metrics of the console at ``/metrics``: pages, store queries, alerts shown, refused logins.

Streamlit runs the page's script repeatedly, but imports this module once a process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.observability.catalogue.console import PAGES, QUERY_KINDS
from fraudwatch.observability.metrics import counter, gauge, histogram
from fraudwatch.settings import ListenSettings

logger = logging.getLogger(__name__)

_page_seconds = histogram("fraudwatch_console_page_seconds")
_query_seconds = histogram("fraudwatch_console_query_seconds")
# Pages and kinds that the catalogue does not list raise KeyError: its label sets are closed.
_SECONDS_OF_PAGE = {page: _page_seconds.labels(page) for page in PAGES}
_SECONDS_OF_QUERY = {kind: _query_seconds.labels(kind) for kind in QUERY_KINDS}
_unavailable = counter("fraudwatch_console_store_unavailable")
_shown = gauge("fraudwatch_console_alerts_shown")
_refused = counter("fraudwatch_console_sign_ins_refused")

_served: set[int] = set()
_serving = threading.Lock()


def serve(port: int) -> None:
    """Start the metrics server on this port, once a process."""
    with _serving:
        if port in _served:
            return
        _served.add(port)
        try:
            start_http_server(port, addr=ListenSettings().address)
        except OSError as error:
            # Logged only: an analyst cannot fix it, and each refresh would fail the same way.
            logger.warning(
                "console metrics are off: port %d cannot be used (%s); free it, then restart the "
                "console",
                port,
                error,
            )


@contextmanager
def timed_page(page: str) -> Iterator[None]:
    """Time the load of a page; one that another load interrupts is not counted."""
    series, began = _SECONDS_OF_PAGE[page], time.perf_counter()
    yield
    series.observe(time.perf_counter() - began)


@contextmanager
def timed_query(kind: str) -> Iterator[None]:
    """Time one query to the store, and count it if the store is unavailable."""
    series, began = _SECONDS_OF_QUERY[kind], time.perf_counter()
    try:
        yield
    except StoreUnavailable:
        _unavailable.inc()
        raise
    finally:
        series.observe(time.perf_counter() - began)


def set_alerts_shown(alerts: int) -> None:
    """Record how many alerts the list shows."""
    _shown.set(alerts)


def count_refused_login(reason: str) -> None:
    """Count a refused login."""
    _refused.labels(reason=reason).inc()
