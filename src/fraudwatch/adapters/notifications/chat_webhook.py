"""Chat by an incoming webhook: ``{"text": ...}``, as Slack, Mattermost and others take it."""

from __future__ import annotations

from http import HTTPStatus

import httpx

from fraudwatch.application.notifying.ports import (
    ChannelUnavailable,
    MessageRefused,
    StaffMessage,
)

_TIMEOUT_SECONDS = 10.0
# Of a refusal with one of these the message is the cause, not the address.
_MESSAGE_REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class ChatWebhook:
    """``StaffChannel`` by a webhook, whose address is a secret and in no error."""

    name = "chat"

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """``transport`` replaces the network in tests."""
        self._url = url
        self._client = httpx.Client(timeout=_TIMEOUT_SECONDS, transport=transport, trust_env=False)

    def send(self, message: StaffMessage) -> None:
        text = _escaped(f"{message.subject}\n{message.text}")
        try:
            answer = self._client.post(self._url, json={"text": text})
        except httpx.TransportError as error:
            raise ChannelUnavailable(
                f"the chat webhook does not answer ({type(error).__name__}); check "
                "NOTIFIER_CHAT_URL in .env"
            ) from None
        if answer.is_success:
            return
        if answer.status_code in _MESSAGE_REFUSED:
            raise MessageRefused(f"the chat webhook refused the message ({answer.status_code})")
        raise ChannelUnavailable(
            f"the chat webhook answered {answer.status_code}; check NOTIFIER_CHAT_URL in .env"
        )


def _escaped(text: str) -> str:
    """Escape the three characters that chat services interpret."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
