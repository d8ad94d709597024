"""Metrics of the console at ``/metrics``: store queries, alerts shown, refused logins.

Streamlit runs the page's script repeatedly, but imports this module once a process.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.observability.metrics import counter, gauge, histogram
from fraudwatch.settings import ListenSettings

logger = logging.getLogger(__name__)

_query_seconds = histogram("fraudwatch_console_query_seconds")
_unavailable = counter("fraudwatch_console_store_unavailable")
_shown = gauge("fraudwatch_console_alerts_shown")
_shown.set(math.nan)
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
def timed_query(kind: str) -> Iterator[None]:
    """Time one query to the store, and count it if the store is unavailable."""
    began = time.perf_counter()
    try:
        yield
    except StoreUnavailable:
        _unavailable.inc()
        raise
    finally:
        _query_seconds.labels(kind=kind).observe(time.perf_counter() - began)


def set_alerts_shown(alerts: int) -> None:
    """Record how many alerts the list shows."""
    _shown.set(alerts)


def count_refused_login(reason: str) -> None:
    """Count a refused login."""
    _refused.labels(reason=reason).inc()
