"""Check API keys in front of HTTP endpoints: who calls, with which scope, and how often.

``add_key_check(app, check)`` once, then ``Annotated[ApiKey, Depends(require(Scope.READ))]`` as a
parameter of each endpoint, which itself calls ``key.require_sources(...)`` before it does anything.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from fraudwatch.adapters.api_keys.key_file import KeysUnavailable
from fraudwatch.adapters.http.problem_json import ProblemResponse
from fraudwatch.domain.api_keys import ApiKey, KeyForbids, KeyRefused, Scope, UnknownKey
from fraudwatch.domain.rate_limit import RateLimits

log = logging.getLogger(__name__)

_UNAVAILABLE_RETRY_SECONDS = 10


class RateExceeded(Exception):
    """The key sends more requests a second than it may."""

    def __init__(self, key: ApiKey, wait_seconds: float) -> None:
        self.retry_after_seconds = max(math.ceil(wait_seconds), 1)
        super().__init__(
            f"this key may send {key.requests_per_second:g} requests a second; nothing was done, "
            f"so send this one again in {self.retry_after_seconds} s"
        )


class Keys(Protocol):
    """Store of API keys."""

    def authenticate(self, presented: str, now_ms: int) -> ApiKey:
        """Return the presented key, or raise ``KeyRefused`` or ``KeysUnavailable``."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Accepts or refuses the caller of one request; rates are counted in this process."""

    keys: Keys
    now_ms: Callable[[], int] = _now_ms
    now_seconds: Callable[[], float] = time.monotonic
    _limits: RateLimits = field(default_factory=RateLimits)

    def accept(self, presented: str, scope: Scope | None) -> ApiKey:
        """Return the caller's key; ``scope`` None accepts any key.

        Raises:
            KeyRefused: the key is unknown, expired or revoked.
            RateExceeded: it sends too many requests.
            MissingScope: it lacks the scope.
            KeysUnavailable: the keys cannot be read.
        """
        key = self.keys.authenticate(presented, self.now_ms())
        # Refused requests count as well: a client that repeats them in a loop is slowed down.
        if key.requests_per_second is not None:
            now_seconds = self.now_seconds()
            wait = self._limits.wait_seconds(key.key_id, key.requests_per_second, now_seconds)
            if wait:
                raise RateExceeded(key, wait)
        if scope is not None:
            key.require_scope(scope)
        return key


_bearer = HTTPBearer(auto_error=False, description="An API key: `fwk_<key id>_<secret>`")
_Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def require(scope: Scope | None) -> Callable[[Request, _Bearer], Awaitable[ApiKey]]:
    """Return the dependency that requires a key with this scope; None requires any key."""

    # On the event loop, because it never waits: the file is read again only after a change.
    async def accepted(request: Request, bearer: _Bearer) -> ApiKey:
        if bearer is None:
            raise UnknownKey
        check: KeyCheck = request.app.state.key_check
        return check.accept(bearer.credentials, scope)

    return accepted


def _unauthorized(request: Request, _: Exception) -> ProblemResponse:
    # One answer for all reasons: it must not help to guess a key.
    return ProblemResponse(
        request,
        HTTPStatus.UNAUTHORIZED,
        "send a valid API key in the header 'Authorization: Bearer <key>'",
        kind="key-refused",
        title="API key refused",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _forbidden(request: Request, error: Exception) -> ProblemResponse:
    return ProblemResponse(
        request,
        HTTPStatus.FORBIDDEN,
        str(error),
        kind="key-forbids",
        title="Not allowed for this API key",
    )


def _too_many(request: Request, error: Exception) -> ProblemResponse:
    seconds = error.retry_after_seconds if isinstance(error, RateExceeded) else 1
    return ProblemResponse(
        request,
        HTTPStatus.TOO_MANY_REQUESTS,
        str(error),
        kind="rate-exceeded",
        title="Too many requests",
        headers={"Retry-After": str(seconds)},
    )


def _unavailable(request: Request, error: Exception) -> ProblemResponse:
    log.error("%s", error)
    return ProblemResponse(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "API keys cannot be checked at the moment; the reason is in this service's log",
        kind="keys-unavailable",
        title="API keys unavailable",
        headers={"Retry-After": str(_UNAVAILABLE_RETRY_SECONDS)},
    )


def add_key_check(app: FastAPI, check: KeyCheck) -> None:
    """Add the check that ``require`` uses, and the answers to refused callers."""
    app.state.key_check = check
    app.add_exception_handler(KeyRefused, _unauthorized)
    app.add_exception_handler(KeyForbids, _forbidden)
    app.add_exception_handler(RateExceeded, _too_many)
    app.add_exception_handler(KeysUnavailable, _unavailable)
