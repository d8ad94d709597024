"""Serve the contracts of sources: deadline and default answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from fraudwatch.adapters.http.key_check import require
from fraudwatch.domain.api_keys import ApiKey
from fraudwatch.domain.source_contract import SourceContracts

keyed_routes = APIRouter(prefix="/v1")


@keyed_routes.get("/sources/{source}")
async def show_source(
    source: str, request: Request, key: Annotated[ApiKey, Depends(require(None))]
) -> dict[str, Any]:
    """Return what is agreed with a source: its deadline, and its answers when no verdict came.

    After ``deadline_ms`` without a verdict the client applies the first default whose
    ``up_to_eur_cents`` the amount does not exceed (none: any amount), and sends the purchase later
    with ``applied_default``.
    """
    key.require_sources([source])
    contracts: SourceContracts = request.app.state.services.contracts
    return asdict(contracts.of(source))
