"""Hash passwords by Argon2id, with the low-memory parameters of RFC 9106."""

from __future__ import annotations

import logging
import threading

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

logger = logging.getLogger(__name__)


class Argon2Hasher:
    """``PasswordHasher`` that hashes one password at a time, because each takes 64 MiB."""

    def __init__(self, parameters: argon2.Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = argon2.PasswordHasher.from_parameters(parameters)
        self._one_at_a_time = threading.Lock()
        # Compared with when the account is unknown, so that it takes the same time.
        self._dummy_hash = _empty_hash(parameters)

    def hash(self, password: str) -> str:
        with self._one_at_a_time:
            return self._hasher.hash(password)

    def matches(self, password: str, password_hash: str | None) -> bool:
        try:
            with self._one_at_a_time:
                is_right = self._hasher.verify(password_hash or self._dummy_hash, password)
        except InvalidHashError:
            logger.exception("a stored password hash is invalid, so its account cannot log in")
            return False
        except VerificationError:
            return False
        return is_right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)


def _empty_hash(parameters: argon2.Parameters) -> str:
    """Build a hash of no known password that costs the same time to verify."""
    cost = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
    salt, digest = (_zeros(n) for n in (parameters.salt_len, parameters.hash_len))
    return f"$argon2id$v={parameters.version}${cost}${salt}${digest}"


def _zeros(length_bytes: int) -> str:
    """Encode zero bytes in base64 without padding."""
    return "A" * -(-length_bytes * 8 // 6)
