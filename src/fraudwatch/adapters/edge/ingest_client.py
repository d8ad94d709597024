"""HTTP client of the ingest API: posts purchases, refund and label reports.

It maps each answer to a result or an error; retrying and splitting are left to the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx

from fraudwatch.application.replay.ports import (
    BatchRefused,
    BatchResult,
    RefusedItem,
    ReplayFailed,
    RetryLater,
    TooLarge,
)

TIMEOUT_SECONDS = 60.0
DEFAULT_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class IngestEndpoint:
    """Address and API key of ingest."""

    url: str
    api_key: str = field(repr=False)


class IngestApi:
    """Sends encoded messages, one request at a time, over one persistent connection."""

    def __init__(
        self, endpoint: IngestEndpoint, transport: httpx.BaseTransport | None = None
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._url = endpoint.url
        self._client = httpx.Client(
            base_url=endpoint.url,
            headers={
                "Authorization": f"Bearer {endpoint.api_key}",
                "Content-Type": "application/json",
            },
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,  # no proxy between a machine and itself
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def send(self, bodies: list[bytes]) -> BatchResult:
        """Send encoded purchases, in order; see ``ports.Ingest``."""
        return self._post("/v1/transactions", bodies)

    def send_refunds(self, bodies: list[bytes]) -> BatchResult:
        """Send encoded refund reports; results and errors as for purchases."""
        return self._post("/v1/refunds", bodies)

    def send_labels(self, bodies: list[bytes]) -> BatchResult:
        """Send encoded label reports; results and errors as for purchases."""
        return self._post("/v1/labels", bodies)

    def _post(self, path: str, bodies: list[bytes]) -> BatchResult:
        try:
            answer = self._client.post(path, content=b"[" + b",".join(bodies) + b"]")
        except httpx.TransportError as error:
            raise RetryLater(
                f"no answer from {self._url} ({error}), so nothing more was sent; see whether"
                " ingest runs with ./fraudwatch status, then run the same command again",
                after_seconds=DEFAULT_RETRY_SECONDS,
                is_answer=False,
            ) from error
        return self._outcome(answer)

    def _outcome(self, answer: httpx.Response) -> BatchResult:
        match answer.status_code:
            case HTTPStatus.ACCEPTED:
                return self._result(answer)
            case HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.CONFLICT:
                raise BatchRefused(self._refused_items(answer))
            case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise TooLarge
            case HTTPStatus.TOO_MANY_REQUESTS if (reason := _paused(answer)) is not None:
                raise ReplayFailed(f"{reason}; then run the same command again")
            case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE as status:
                raise RetryLater(
                    f"{self._url} kept answering {status} (retry later), so the replay stopped; see"
                    " its log, then run the same command again",
                    after_seconds=_retry_seconds(answer),
                    is_answer=True,
                )
            case HTTPStatus.UNAUTHORIZED:
                raise ReplayFailed(
                    f"{self._url} refuses the key (401), so nothing was sent; put a valid one into"
                    " the line INGEST_API_KEY of .env: ./fraudwatch keys make --client replay"
                    " --scope ingest --scope label --all-sources"
                )
            case HTTPStatus.FORBIDDEN:
                raise ReplayFailed(
                    f"{self._url} does not allow this to the key (403), so nothing was sent;"
                    " INGEST_API_KEY needs the scopes ingest and label for this source, see"
                    " ./fraudwatch keys list"
                )
        raise self._contract_error(answer)

    def _result(self, answer: httpx.Response) -> BatchResult:
        try:
            body = answer.json()
            return BatchResult(accepted=int(body["accepted"]), repeated=int(body["repeated"]))
        except (ValueError, TypeError, KeyError) as error:
            raise self._contract_error(answer) from error

    def _refused_items(self, answer: httpx.Response) -> list[RefusedItem]:
        try:
            found = [
                RefusedItem(int(p["index"]), str(p["field"]), str(p["reason"]))
                for p in answer.json()["problems"]
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise self._contract_error(answer) from error
        if not found:
            raise self._contract_error(answer)
        return found

    def _contract_error(self, answer: httpx.Response) -> ReplayFailed:
        return ReplayFailed(
            f"{self._url} answered {answer.status_code} in a way outside its contract,"
            " so the replay stopped; see its log, then run the same command again"
        )


def _paused(answer: httpx.Response) -> str | None:
    """Return why the key is paused, which no waiting ends; None where it sends too fast."""
    try:
        problem = answer.json()
        return str(problem["detail"]) if problem["type"].endswith(":source-paused") else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _retry_seconds(answer: httpx.Response) -> float:
    seconds = answer.headers.get("Retry-After", "")
    # HTTP also allows a date, which is not parsed: ingest sends seconds.
    return (
        max(float(seconds), 0.0)
        if seconds.isascii() and seconds.isdigit()
        else DEFAULT_RETRY_SECONDS
    )
