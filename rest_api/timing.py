"""Time each request by endpoint and class of status; the stream of alerts is left out."""

from __future__ import annotations

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fraudwatch.observability.catalogue.rest_api import ENDPOINTS
from fraudwatch.observability.metrics import histogram

_seconds = histogram("fraudwatch_rest_api_request_seconds")


class TimedRequests:
    """Middleware that observes the time until the last byte of a response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def observing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observing)
        finally:
            endpoint: Any = scope.get("endpoint")
            name = getattr(endpoint, "__name__", "")
            if name in ENDPOINTS:
                answer = f"{status // 100}xx"
                _seconds.labels(endpoint=name, answer=answer).observe(time.perf_counter() - began)
