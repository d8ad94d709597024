"""Sign webhooks as Standard Webhooks defines it: HMAC-SHA256 over id, timestamp and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  the form of a secret, not one
SECRET_BYTES: Final = 32
_SHORTEST_SECRET_BYTES: Final = 24
_VERSION: Final = "v1"


class InvalidSecret(ValueError):
    """The text is no signing secret; it is never quoted."""


def secret_text(random_bytes: bytes) -> str:
    """Return a secret in the form that clients get."""
    return SECRET_PREFIX + base64.b64encode(random_bytes).decode()


def signature_headers(
    secrets: Iterable[str], webhook_id: str, at_seconds: int, body: bytes
) -> dict[str, str]:
    """Return the headers of one attempt, with a signature by each secret.

    Raises:
        InvalidSecret: a secret has another form, or there is none.
    """
    in_effect = list(secrets)
    if not in_effect:
        raise InvalidSecret("there is no signing secret that is in effect; nothing was sent")
    signed = b".".join((webhook_id.encode(), str(at_seconds).encode(), body))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(f"{_VERSION},{_mac(secret, signed)}" for secret in in_effect),
    }


def _mac(secret: str, signed: bytes) -> str:
    digest = hmac.new(_key_of(secret), signed, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) < _SHORTEST_SECRET_BYTES:
        raise InvalidSecret(
            f"a signing secret is {SECRET_PREFIX} and base64 of at least "
            f"{_SHORTEST_SECRET_BYTES} bytes; nothing was sent, make another with "
            "./fraudwatch webhooks rotate"
        )
    return key
