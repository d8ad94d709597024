"""Text messages by an HTTP gateway: ``POST`` of ``{"id", "to", "text"}``."""

from __future__ import annotations

from http import HTTPStatus

import httpx

from fraudwatch.application.notifying.customer_notices import (
    AddressRefused,
    NoticeText,
    NoticeUncertain,
    NoticeUnsent,
)

_TIMEOUT_SECONDS = 10.0
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class SmsGateway:
    """Sends a notice to a customer's telephone."""

    def __init__(
        self, url: str, api_key: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._url = url
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
        )

    def send(self, address: str, text: NoticeText, notice_id: str) -> None:
        """See :class:`fraudwatch.application.notifying.customer_notices.NoticeSender`."""
        body = {"id": notice_id, "to": address, "text": text.text}
        try:
            answer = self._client.post(self._url, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NoticeUnsent(f"the SMS gateway is away ({type(error).__name__})") from None
        except httpx.TransportError as error:
            raise NoticeUncertain(
                f"the SMS gateway did not confirm the message ({type(error).__name__})"
            ) from None
        if answer.is_success:
            return
        if answer.status_code in _BUSY:
            raise NoticeUnsent(f"the SMS gateway is busy ({answer.status_code})")
        if answer.is_client_error:
            raise AddressRefused(f"the SMS gateway refuses the message ({answer.status_code})")
        raise NoticeUncertain(f"the SMS gateway failed ({answer.status_code})")
