"""Answer errors as problem+json (RFC 9457), with the refused fields as the member ``problems``.

No answer quotes a value of the request: it could be personal. ``instance`` is the path without its
query for the same reason.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_TYPE_PREFIX: Final = "urn:problem-type:fraudwatch:"


class ProblemResponse(JSONResponse):
    """One problem; without ``kind`` its title is that of the HTTP status (``about:blank``)."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        request: Request,
        status: int,
        detail: str,
        *,
        kind: str = "",
        title: str = "",
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        content = {
            "type": f"{_TYPE_PREFIX}{kind}" if kind else "about:blank",
            "title": title or HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "instance": request.url.path,
        }
        super().__init__(content | dict(extensions or {}), status, headers=headers)


def listed_problems(refused: Mapping[int, Refused]) -> list[dict[str, Any]]:
    """List the broken fields of refused messages, each with its message's index in the batch."""
    return [
        {"index": index, "code": refusal.code, "field": problem.field, "reason": problem.reason}
        for index, refusal in refused.items()
        for problem in refusal.problems
    ]


def refused_response(request: Request, refused: Mapping[int, Refused]) -> ProblemResponse:
    """Answer 422 with the broken fields of refused messages, by index."""
    return ProblemResponse(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "fields are missing or invalid, as listed in 'problems'; nothing of the request was "
        "accepted, so correct them and send it again",
        kind="refused",
        title="Refused request",
        extensions={"problems": listed_problems(refused)},
    )


def _http_error(request: Request, error: Exception) -> ProblemResponse:
    if not isinstance(error, HTTPException):
        raise error
    return ProblemResponse(request, error.status_code, str(error.detail), headers=error.headers)


def _refused(request: Request, error: Exception) -> ProblemResponse:
    return refused_response(request, {0: error} if isinstance(error, Refused) else {})


def _invalid_parameters(request: Request, error: Exception) -> ProblemResponse:
    """Name invalid parameters; the framework's own answer would quote the request."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    named = [Problem(str(one["loc"][-1]), str(one["msg"]).lower()) for one in errors]
    return refused_response(request, {0: Refused(Code.OUT_OF_BOUNDS, named)})


def _failure(request: Request, _: Exception) -> ProblemResponse:
    return ProblemResponse(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "the request failed for a reason that is in this service's log; try it again later",
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of this API as a problem."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_parameters)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Exception, _failure)
