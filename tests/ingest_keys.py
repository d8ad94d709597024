"""An API key of an ingest in memory, and the header that presents it."""

from __future__ import annotations

from dataclasses import replace

from fraudwatch.domain.api_keys import ApiKey, Scope, digest_of, presented_form

SECRET = "a-key-of-the-test"
KEY = ApiKey(
    key_id="k1",
    client="till",
    scopes=(Scope.INGEST, Scope.LABEL),
    sources=(),
    requests_per_second=None,
    created_at_ms=0,
    expires_at_ms=None,
    revoked_at_ms=None,
    secret_sha256=digest_of(SECRET),
)
SANDBOX_KEY = replace(KEY, key_id="k2", scopes=(Scope.INGEST,), is_sandbox=True)


def authorization(key: ApiKey = KEY) -> dict[str, str]:
    """Return the header of a call with this key."""
    return {"Authorization": f"Bearer {presented_form(key.key_id, SECRET)}"}
