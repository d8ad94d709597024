"""What the console tells of itself at ``/metrics``: its questions, its list, who was refused.

Streamlit runs the page's script again and again, but imports this module once a process.
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

logger = logging.getLogger(__name__)

_query_seconds = histogram("fraudwatch_console_query_seconds")
_unavailable = counter("fraudwatch_console_store_unavailable")
_shown = gauge("fraudwatch_console_alerts_shown")
_shown.set(math.nan)
_refused = counter("fraudwatch_console_sign_ins_refused")

_served: set[int] = set()
_serving = threading.Lock()


def serve(port: int) -> None:
    """Answer on this port from now on, however often and by however many sessions it is called."""
    with _serving:
        if port in _served:
            return
        _served.add(port)
        try:
            start_http_server(port, addr="127.0.0.1")
        except OSError as error:
            # Not worth an analyst's page; and each second's refresh would only fail again.
            logger.warning(
                "no metrics of the console: port %d cannot be used (%s); free it, then start the "
                "console again",
                port,
                error,
            )


@contextmanager
def asked(kind: str) -> Iterator[None]:
    """Count and time one question to the store."""
    began = time.perf_counter()
    try:
        yield
    except StoreUnavailable:
        _unavailable.inc()
        raise
    finally:
        _query_seconds.labels(kind=kind).observe(time.perf_counter() - began)


def shown(alerts: int) -> None:
    """Tell how many alerts a list has that is drawn now."""
    _shown.set(alerts)


def refused(reason: str) -> None:
    """Count a try to log in that was none."""
    _refused.labels(reason=reason).inc()
