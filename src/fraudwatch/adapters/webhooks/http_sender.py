"""Send webhooks by HTTP: signed, to public addresses, without redirects, within a time limit."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Final

import httpx

from fraudwatch.adapters.webhooks.public_transport import (
    AddressRefused,
    NameUnresolved,
    PublicTransport,
)
from fraudwatch.application.webhooks.ports import DeliveryFailed, QueuedEvent
from fraudwatch.domain.webhooks.delivery_state import FailureReason
from fraudwatch.domain.webhooks.signature import InvalidSecret, signature_headers
from fraudwatch.domain.webhooks.subscription import Subscription

_TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
# A connection is used again only if the rest of the answer is short and comes at once.
_LONGEST_ANSWER_BYTES: Final = 65_536
_LONGEST_ANSWER_SECONDS: Final = 2.0
_LONGEST_RETRY_AFTER_SECONDS: Final = 3_600.0


class HttpWebhookSender:
    """``WebhookSender`` of one subscription; URL, answer and secret are in no error."""

    def __init__(
        self,
        *,
        allow_loopback: bool,
        tls: ssl.SSLContext,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``tls`` is shared by senders; ``transport`` replaces the network in tests."""
        own = PublicTransport(
            httpx.HTTPTransport(
                verify=tls,
                trust_env=False,
                limits=httpx.Limits(max_connections=1, keepalive_expiry=30.0),
            ),
            allow_loopback=allow_loopback,
        )
        self._clock = clock
        self._client = httpx.Client(
            transport=transport or own,
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "fraudwatch-webhooks", "content-type": "application/json"},
        )

    def send(self, subscription: Subscription, event: QueuedEvent, now_ms: int) -> None:
        try:
            headers = signature_headers(
                subscription.secrets_at(now_ms), event.webhook_id, now_ms // 1_000, event.body
            )
            with self._client.stream(
                "POST", subscription.url, content=event.body, headers=headers
            ) as answer:
                self._drain(answer)
        except InvalidSecret as error:
            raise DeliveryFailed(FailureReason.UNSIGNED, str(error)) from None
        except AddressRefused as error:
            raise DeliveryFailed(FailureReason.ADDRESS_REFUSED, str(error)) from None
        except NameUnresolved as error:
            raise DeliveryFailed(FailureReason.NAME_UNRESOLVED, str(error)) from None
        except httpx.TimeoutException as error:
            raise DeliveryFailed(FailureReason.TIMEOUT, type(error).__name__) from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise DeliveryFailed(FailureReason.CONNECTION, type(error).__name__) from None
        finally:
            self._client.cookies.clear()
        if not answer.is_success:
            raise _refusal(answer)

    def close(self) -> None:
        """Close its connection."""
        self._client.close()

    def _drain(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            return
        size, until = 0, self._clock() + _LONGEST_ANSWER_SECONDS
        try:
            for chunk in answer.iter_raw():
                size += len(chunk)
                if size > _LONGEST_ANSWER_BYTES or self._clock() > until:
                    return
        except httpx.TransportError:
            return  # the status was the acknowledgement


def _refusal(answer: httpx.Response) -> DeliveryFailed:
    if answer.has_redirect_location or answer.is_redirect:
        reason = FailureReason.REDIRECT
    elif answer.is_client_error:
        reason = FailureReason.CLIENT_ERROR
    else:
        reason = FailureReason.SERVER_ERROR
    return DeliveryFailed(
        reason,
        f"the client answered {answer.status_code}",
        retry_after_seconds=_retry_after_seconds(answer.headers.get("retry-after", "")),
    )


def _retry_after_seconds(text: str) -> float:
    """Return the wanted pause; its form as a date is not read, our own pause then counts."""
    if not (text.isascii() and text.isdigit()):
        return 0.0
    return min(float(text), _LONGEST_RETRY_AFTER_SECONDS)
