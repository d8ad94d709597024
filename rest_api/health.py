"""Serve liveness, readiness and metrics, without a key: they hold nothing of a customer."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rest_api.schemas import Status
from rest_api.services import Services

routes = APIRouter(tags=["health"])


@routes.get("/healthz")
async def show_health() -> Status:
    """Report that the process answers."""
    return Status(status="ok")


@routes.get("/readyz", responses={503: {"model": Status}})
def show_readiness(services: Services, response: Response) -> Status:
    """Report whether store and broker answer; 503 names the one that does not."""
    unavailable = dict(services.problems())
    if unavailable:
        response.status_code = 503
    return Status(status="unavailable" if unavailable else "ok", unavailable=unavailable)


@routes.get("/metrics", include_in_schema=False)
def show_metrics() -> Response:
    """Export the metrics for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
