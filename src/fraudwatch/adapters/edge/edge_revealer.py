"""Reveal sealed fields over HTTP at the edge, which alone has the keys: ``POST /v1/reveal``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.casework import Erased, RevealRefused
from fraudwatch.domain.messages.transaction import Transaction

# The edge waits 5 s for its log; two more calls may be queued before ours.
TIMEOUT_SECONDS = 15.0


class EdgeRevealer:
    """``Revealer`` over HTTP. It has the API key of the edge, never an encryption key."""

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

    def reveal(self, purchase: Transaction, *, person: Person, reason: str) -> Mapping[str, str]:
        person.require(Right.REVEAL)
        if purchase.sealed is None:
            raise RevealRefused("this purchase has no sealed fields, so there is nothing to reveal")
        body = {
            "transaction_id": purchase.transaction_id,
            "customer_token": purchase.customer_token,
            "sealed": purchase.sealed,
            "login": person.login,
            "role": person.role,
            "reason": reason,
        }
        try:
            answer = self._client.post("/v1/reveal", json=body)
        except httpx.TransportError as error:
            raise RevealRefused(
                f"the edge does not answer at {self._url} ({type(error).__name__}), so nothing was "
                "shown; see whether ingest runs with ./fraudwatch status, then try again"
            ) from error
        return self._outcome(answer)

    def _outcome(self, answer: httpx.Response) -> Mapping[str, str]:
        body = _object(answer)
        if answer.status_code == HTTPStatus.OK and isinstance(body.get("personal"), dict):
            return {str(name): str(value) for name, value in body["personal"].items()}
        # The code, not the status alone: an edge without this endpoint answers 404 as well.
        if body.get("code") == "erased":
            raise Erased(str(body.get("detail")))
        raise RevealRefused(self._refusal(answer, body))

    def _refusal(self, answer: httpx.Response, body: Mapping[str, Any]) -> str:
        match answer.status_code:
            case HTTPStatus.UNAUTHORIZED:
                return (
                    "the edge refuses the console's key (401), so nothing was shown; REVEAL_API_KEY"
                    " must be the one that ingest was started with"
                )
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                return f"the edge refuses the request: {_problems(body)}; nothing was shown"
        if "code" in body and isinstance(detail := body.get("detail"), str):
            return detail
        return (
            f"the edge answered {answer.status_code} in a way outside its contract, so "
            "nothing was shown; see ./fraudwatch logs ingest"
        )


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _problems(body: Mapping[str, Any]) -> str:
    listed = body.get("problems")
    named = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return "; ".join(f"{p.get('field')} {p.get('reason')}" for p in named) or "it does not say why"
