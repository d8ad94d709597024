"""The edge's HTTP interface, as its clients see it: purchases and labels are posted to it.

One answer of the server becomes one outcome here; waiting and splitting are the caller's matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx

from fraudwatch.application.replay.ports import (
    NotNow,
    Objection,
    Refused,
    ReplayFailed,
    Taken,
    TooLarge,
)

TIMEOUT_SECONDS = 60.0
DEFAULT_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class IngestEndpoint:
    """Where the edge listens, and the key that it asks for."""

    url: str
    api_key: str = field(repr=False)


class IngestApi:
    """Sends encoded messages, one request at a time, over one kept connection."""

    def __init__(
        self, endpoint: IngestEndpoint, transport: httpx.BaseTransport | None = None
    ) -> None:
        """``transport`` stands in for the network in tests."""
        self._url = endpoint.url
        self._client = httpx.Client(
            base_url=endpoint.url,
            headers={
                "Authorization": f"Bearer {endpoint.api_key}",
                "Content-Type": "application/json",
            },
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,  # a proxy has no business between a machine and itself
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

    def send(self, bodies: list[bytes]) -> Taken:
        """Hand over encoded purchases, in order; the answers are those of ``ports.Ingest``."""
        return self._post("/v1/transactions", bodies)

    def send_labels(self, bodies: list[bytes]) -> Taken:
        """Hand over encoded reports of labels; the answers are those to purchases."""
        return self._post("/v1/labels", bodies)

    def _post(self, path: str, bodies: list[bytes]) -> Taken:
        try:
            answer = self._client.post(path, content=b"[" + b",".join(bodies) + b"]")
        except httpx.TransportError as error:
            raise NotNow(
                f"no answer from {self._url} ({error}), so nothing more was sent; see whether"
                " ingest runs with ./fraudwatch status, then give the same command again",
                after_seconds=DEFAULT_RETRY_SECONDS,
                is_answer=False,
            ) from error
        return self._outcome(answer)

    def _outcome(self, answer: httpx.Response) -> Taken:
        match answer.status_code:
            case HTTPStatus.ACCEPTED:
                return self._taken(answer)
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                raise Refused(self._objections(answer))
            case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise TooLarge
            case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE as status:
                raise NotNow(
                    f"{self._url} kept answering {status}, not now, so the replay stopped; see its"
                    " log, then give the same command again",
                    after_seconds=_retry_seconds(answer),
                    is_answer=True,
                )
            case HTTPStatus.UNAUTHORIZED:
                raise ReplayFailed(
                    f"{self._url} refuses the key (401), so nothing was sent; INGEST_API_KEY must"
                    " be the one that ingest was started with"
                )
        raise self._broken(answer)

    def _taken(self, answer: httpx.Response) -> Taken:
        try:
            told = answer.json()
            return Taken(accepted=int(told["accepted"]), repeated=int(told["repeated"]))
        except (ValueError, TypeError, KeyError) as error:
            raise self._broken(answer) from error

    def _objections(self, answer: httpx.Response) -> list[Objection]:
        try:
            found = [
                Objection(int(p["index"]), str(p["field"]), str(p["reason"]))
                for p in answer.json()["problems"]
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise self._broken(answer) from error
        if not found:
            raise self._broken(answer)
        return found

    def _broken(self, answer: httpx.Response) -> ReplayFailed:
        return ReplayFailed(
            f"{self._url} answered {answer.status_code} in a way that its contract does not know,"
            " so the replay stopped; see its log, then give the same command again"
        )


def _retry_seconds(answer: httpx.Response) -> float:
    told = answer.headers.get("Retry-After", "")
    # The other form that HTTP allows, a date, is not worth a parser: our edge sends seconds.
    return max(float(told), 0.0) if told.isascii() and told.isdigit() else DEFAULT_RETRY_SECONDS
