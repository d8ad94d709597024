"""Key of an endpoint that one service of the platform calls, and no client."""

from __future__ import annotations

import hmac


def has_service_key(authorization: str, api_key: str) -> bool:
    """Return whether this header holds the key."""
    # In constant time: the response time must not reveal how much of a guess was right.
    return hmac.compare_digest(authorization.encode(), f"Bearer {api_key}".encode())
