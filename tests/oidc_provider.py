"""A small OpenID Connect provider on this machine: everyone who asks is the user of the day."""

from __future__ import annotations

import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route


class Provider:
    """Provider with one client; ``login`` is who logs in next, and each request is counted."""

    def __init__(self, url: str, client_id: str, login: str) -> None:
        self.url, self.client_id, self.login = url, client_id, login
        self.logins = 0
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._nonces: dict[str, str | None] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _authorize(self, request: Request) -> Response:
        self.logins += 1
        code = f"code-{self.logins}"
        self._nonces[code] = request.query_params.get("nonce")
        back, state = request.query_params["redirect_uri"], request.query_params["state"]
        return RedirectResponse(f"{back}?code={code}&state={state}")

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": f"subject-of-{self.login}",
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "preferred_username": self.login,
        }
        if nonce := self._nonces.pop(str(form["code"])):
            claims["nonce"] = nonce
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)
        return JSONResponse({"access_token": "unused", "token_type": "Bearer", "id_token": token})

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(KeySet([self._key]).as_dict(private=False))
