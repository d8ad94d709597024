"""Tokenise customers' identifiers over HTTP at the edge, which alone has the keys."""

from __future__ import annotations

from http import HTTPStatus

import httpx

TIMEOUT_SECONDS = 3.0


class TokensUnavailable(RuntimeError):
    """No token can be had now: the edge does not answer, or refuses this program."""


class EdgeTokens:
    """Client of ``POST /v1/tokens``; identifiers are in bodies, never in a URL or a log."""

    def __init__(
        self, url: str, api_key: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._url = url
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,  # no proxy between a machine and itself
        )

    def customer_token(self, source: str, customer_id: str) -> str:
        """Return the token of a customer of a source.

        Raises:
            TokensUnavailable: the edge does not answer, or refuses.
        """
        body = {"source": source, "customer_id": customer_id}
        try:
            answer = self._client.post("/v1/tokens", json=body)
        except httpx.TransportError as error:
            raise TokensUnavailable(
                f"ingest does not answer at {self._url} ({type(error).__name__}), so no identifier "
                "can be tokenised; see whether it runs with ./fraudwatch status"
            ) from error
        if answer.status_code == HTTPStatus.OK:
            return str(answer.json()["customer_token"])
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise TokensUnavailable(
                "ingest refuses this program's key (401), so no identifier can be tokenised; "
                "TOKENS_API_KEY must be the one that ingest was started with"
            )
        raise TokensUnavailable(
            f"ingest answered {answer.status_code} in a way outside its contract, so no identifier "
            "was tokenised; see ./fraudwatch logs ingest"
        )
