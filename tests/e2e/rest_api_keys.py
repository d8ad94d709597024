"""Make API keys of a private stack's home."""

from __future__ import annotations

import time
from typing import Any

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.domain.api_keys import ApiKey, Scope, digest_of, presented_form
from fraudwatch.stack.private_stack import PrivateStack

SECRET = "a-secret-of-a-test-0123456789abcdef0123456789"


def make_key(stack: PrivateStack, key_id: str, *scopes: Scope, **changes: Any) -> str:
    """Add or replace a key, and return the text that its client presents."""
    usual: dict[str, Any] = {
        "key_id": key_id,
        "client": f"test {key_id}",
        "scopes": scopes,
        "sources": (),
        "requests_per_second": None,
        "created_at_ms": time.time_ns() // 1_000_000,
        "expires_at_ms": None,
        "revoked_at_ms": None,
        "secret_sha256": digest_of(SECRET),
    }
    made = ApiKey(**usual | changes)
    ApiKeyFile(stack.folder / "api_keys" / "keys.json").change(lambda _: made)
    return presented_form(key_id, SECRET)
