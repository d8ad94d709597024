"""Notify customers over HTTP at the edge, which alone knows addresses: ``POST /v1/notify``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import httpx

from fraudwatch.application.notifying.ports import ChannelUnavailable
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.notifications.customer_notice import CustomerNotice, NoticeState

# Longer than the edge needs for its audit record and for a slow mail server.
TIMEOUT_SECONDS: Final = 90.0
_CONNECT_SECONDS: Final = 5.0
# The edge answers so only while nothing was sent.
_UNSENT: Final = frozenset({"unlogged", "unsent", "paused"})
_STATES: Final = {
    "erased": NoticeState.ERASED,
    "no_address": NoticeState.NO_ADDRESS,
    "limited": NoticeState.LIMITED,
    "altered": NoticeState.REFUSED,
    "address_refused": NoticeState.REFUSED,
}


class HttpEdgeNotices:
    """``EdgeNotices`` over HTTP. It has the API key of the edge, never an address."""

    def __init__(
        self, url: str, api_key: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._url = url
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=_CONNECT_SECONDS),
            transport=transport,
            trust_env=False,  # no proxy between a machine and itself
        )

    def notify(self, notice: CustomerNotice, purchase: Transaction) -> NoticeState:
        body = {
            "notice_id": notice.verdict_id,
            "transaction_id": notice.transaction_id,
            "customer_token": notice.customer_token,
            "sealed": purchase.sealed,
            "template": notice.template,
            "amount_minor": purchase.amount_minor,
            "currency": purchase.currency,
            "merchant_id": purchase.merchant_id,
            "event_at_ms": purchase.event_at_ms,
        }
        try:
            answer = self._client.post("/v1/notify", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ChannelUnavailable(
                f"the edge does not answer at {self._url} ({type(error).__name__}), so customers "
                "get no notices; see whether ingest runs with ./fraudwatch status"
            ) from error
        except httpx.TransportError:
            return NoticeState.UNCERTAIN  # the edge may have sent it before the connection broke
        return self._state(answer)

    def _state(self, answer: httpx.Response) -> NoticeState:
        body = _object(answer)
        if answer.status_code == HTTPStatus.OK and body.get("state") in set(NoticeState):
            return NoticeState(body["state"])
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise ChannelUnavailable(
                "the edge refuses the notifier's key (401), so customers get no notices; "
                "NOTIFY_API_KEY must be the one that ingest was started with"
            )
        code = body.get("code")
        if code in _UNSENT:
            raise ChannelUnavailable(f"the edge sends no notices now: {body.get('detail')}")
        if code in _STATES:
            return _STATES[code]
        if answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            return NoticeState.REFUSED
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise ChannelUnavailable(
                "the edge has no /v1/notify, so customers get no notices; is it of another version?"
            )
        return NoticeState.UNCERTAIN


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
