"""Choose the customers of a canary: a new classifier that scores a share of them on trial.

The choice is a keyed hash of the customer's token, so a customer stays in one group. The key is the
model's version, so that each canary tries other customers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools

MOST_SHARE_RATIO: Final = 0.5
"""A larger group than the champion's would be a promotion."""
_HASH_BYTES: Final = 8


def in_canary(version: str, share_ratio: float, customer_tokens: Sequence[str]) -> Bools:
    """Select the customers whom the canary of this version scores."""
    limit = int(share_ratio * (1 << 8 * _HASH_BYTES))
    key = version.encode()
    return np.fromiter(
        (customer_draw(key, token) < limit for token in customer_tokens),
        dtype=np.bool_,
        count=len(customer_tokens),
    )


def customer_draw(key: bytes, customer_token: str) -> int:
    """Return the customer's number of 64 bits under a key."""
    digest = hashlib.blake2b(customer_token.encode(), key=key, digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest, "big")
