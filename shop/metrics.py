"""What the shop tells of itself at ``/metrics``: its readers, its purchases, its making."""

from __future__ import annotations

import math

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fraudwatch.observability.metrics import counter, gauge
from shop.plan import MINUTE_MS

_requests = counter("fraudwatch_shop_requests")
_told = gauge("fraudwatch_shop_purchases_told")
_made_until = gauge("fraudwatch_shop_made_until_seconds")
_made_until.set(math.nan)

# What readers call; health and metrics are asked by machines that watch, many times a minute.
_READERS_PATHS = "/v1/"


def serve_metrics(app: FastAPI) -> None:
    """Count an app's readers and answer ``GET /metrics``, which needs no key."""
    app.add_middleware(_CountedRequests)

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        shop = app.state.shop
        _told.set(shop.told.known_at(shop.now_ms()))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def note_made(minute: int) -> None:
    """Tell that a minute is made."""
    _made_until.set((minute + 1) * MINUTE_MS / 1_000)


class _CountedRequests:
    """Counts answers as they begin, so that a reader who hangs up in a long poll is none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                _requests.labels(endpoint=_endpoint(scope), status=message["status"]).inc()
            await send(message)

        is_reader = scope["type"] == "http" and scope["path"].startswith(_READERS_PATHS)
        await self._app(scope, receive, counted if is_reader else send)


def _endpoint(scope: Scope) -> str:
    """The path as it is declared: what a caller made up must not become a label."""
    return getattr(scope.get("route"), "path", "unknown")
