"""Authenticate callers by API key and give endpoints the shop that they serve."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shop.documents import Refusal
from shop.extract import Extract
from shop.feed import Feed
from shop.ledger import ChargebackStream
from shop.minute_cache import MinuteCache
from shop.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Everything that the endpoints read; the clock decides which purchases exist yet."""

    plan: Plan
    minutes: MinuteCache
    feed: Feed
    extract: Extract
    chargebacks: ChargebackStream
    api_key: str
    now_ms: Callable[[], int]


def _shop(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop


ShopDependency = Annotated[Shop, Depends(_shop)]
_bearer = HTTPBearer(auto_error=False, description="The value of SHOP_API_KEY")


def _check_key(
    shop: ShopDependency,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    offered = credentials.credentials if credentials else ""
    if not hmac.compare_digest(offered.encode(), shop.api_key.encode()):
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED,
            "the key is missing or wrong; send the header Authorization: Bearer <SHOP_API_KEY>",
            headers={"WWW-Authenticate": "Bearer"},
        )


_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": Refusal, "description": "The key is missing or wrong"}
}


def keyed_router() -> APIRouter:
    """Create a router whose endpoints all need the API key."""
    return APIRouter(prefix="/v1", dependencies=[Depends(_check_key)], responses=_REFUSED)
