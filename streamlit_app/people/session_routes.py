"""Routes that set the session cookie and record that a user is active.

Only the pages' own script calls them. The cookie is not sent from other sites (``SameSite``), and a
request that names another origin is refused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fraudwatch.application.console.account_rules import AccountsUnavailable
from fraudwatch.application.console.sessions import LONGEST_SESSION_MS, Sessions
from streamlit_app.people.session_cookie import ACTIVE, BEGIN, COOKIE, Tickets

_LONGEST_TICKET_BYTES = 64


def session_routes(sessions: Sessions, tickets: Tickets) -> list[Route]:
    """Build the routes over these sessions."""

    async def begin(request: Request) -> Response:
        if _is_foreign(request):
            return Response(status_code=403)
        body = await request.body()
        token = tickets.redeem(body[:_LONGEST_TICKET_BYTES].decode("ascii", "replace"))
        if token is None:
            return Response(status_code=401)
        response = Response(status_code=204)
        response.set_cookie(
            COOKIE,
            token,
            max_age=LONGEST_SESSION_MS // 1_000,
            httponly=True,
            samesite="lax",  # strict would ask for a login after each link from a mail
            secure=_is_encrypted(request),
        )
        return response

    async def active(request: Request) -> Response:
        token = request.cookies.get(COOKIE)
        if token is None or _is_foreign(request):
            return Response(status_code=401)
        try:
            is_extended = await run_in_threadpool(sessions.extend, token)
        except AccountsUnavailable:
            return Response(status_code=503)
        return Response(status_code=204 if is_extended else 401)

    return [
        Route(BEGIN, begin, methods=["POST"]),
        Route(ACTIVE, active, methods=["POST"]),
    ]


def _is_foreign(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def _is_encrypted(request: Request) -> bool:
    """Return whether the browser's connection is encrypted, also through a proxy."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
