"""Export the shop's metrics at ``/metrics``: requests, purchases, precomputed minutes."""

from __future__ import annotations

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fraudwatch.observability.metrics import counter, gauge
from shop.plan import MINUTE_MS

_requests = counter("fraudwatch_shop_requests")
_purchases_until_now = gauge("fraudwatch_shop_purchases_told")
_precomputed_until = gauge("fraudwatch_shop_made_until_seconds")

# Readers' endpoints; monitoring requests health and metrics many times a minute.
_READERS_PATHS = "/v1/"


def serve_metrics(app: FastAPI) -> None:
    """Count an app's requests and serve ``GET /metrics``, which needs no key."""
    app.add_middleware(_CountedRequests)

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        shop = app.state.shop
        _purchases_until_now.set(shop.minutes.count_until(shop.now_ms()))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def record_precomputed(minute: int) -> None:
    """Record that a minute is precomputed."""
    _precomputed_until.set((minute + 1) * MINUTE_MS / 1_000)


class _CountedRequests:
    """Count responses when they start, so that an aborted long poll is not counted."""

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
    """Return the declared path: a path invented by a caller must not become a label."""
    return getattr(scope.get("route"), "path", "unknown")
