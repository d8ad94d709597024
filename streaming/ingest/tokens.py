"""Tokenise customers' identifiers by ``POST /v1/tokens``, with an API key of its own.

The REST API searches by identifier, and only the edge has the keys. Nothing of a request or a
response is ever logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic_settings import BaseSettings

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.http.body import read_capped
from fraudwatch.application.intake.admit import CustomerReference, customer_token_of
from fraudwatch.application.ports import Vault
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.settings import Secret, from_environment
from streaming.ingest.service_key import has_service_key

LARGEST_BODY_BYTES = 4 * 1024


class TokensSettings(BaseSettings):
    """The API key of programs that may tokenise identifiers."""

    model_config = from_environment("TOKENS_")
    api_key: Secret


@dataclass(frozen=True, slots=True)
class TokenChannel:
    """Tokenises identifiers for callers with this API key, which no source has."""

    vault: Vault
    api_key: str


def _channel(request: Request) -> TokenChannel:
    channel: TokenChannel = request.app.state.token_channel
    return channel


_Channel = Annotated[TokenChannel, Depends(_channel)]


def _check_key(channel: _Channel, authorization: Annotated[str, Header()] = "") -> None:
    if not has_service_key(authorization, channel.api_key):
        raise HTTPException(401, "send the header 'Authorization: Bearer <TOKENS_API_KEY>'")


keyed_routes = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)])


@keyed_routes.post("/tokens")
async def post_token(request: Request, channel: _Channel) -> JSONResponse:
    """Return the token of one customer of one source; the same identifier gives the same token."""
    customer = decode(CustomerReference, await read_capped(request, LARGEST_BODY_BYTES))
    if broken := problems(customer):
        raise Refused(Code.OUT_OF_BOUNDS, broken)
    token = customer_token_of(channel.vault, customer)
    return JSONResponse({"customer_token": token}, headers={"Cache-Control": "no-store"})


def add_tokens(app: FastAPI, channel: TokenChannel) -> None:
    """Add the token endpoint to ingest's API, whose handlers answer for refused bodies."""
    app.state.token_channel = channel
    app.include_router(keyed_routes)
