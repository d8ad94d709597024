"""Key of an endpoint that one service of the platform calls, and no client."""

from __future__ import annotations

import hmac


def has_service_key(authorization: str, api_key: str) -> bool:
    """Return whether this header holds the key; its scheme may be in any case (RFC 9110)."""
    scheme, _, presented = authorization.partition(" ")
    # In constant time: the response time must not reveal how much of a guess was right.
    is_key = hmac.compare_digest(presented.encode(), api_key.encode())
    return is_key and scheme.lower() == "bearer"
