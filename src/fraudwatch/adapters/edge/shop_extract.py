"""Extract source over HTTP: closed days of a shop, or any source with the same API."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from fraudwatch.application.extract.ports import (
    NoSuchDay,
    SourceChanged,
    SourceMismatch,
    SourceUnavailable,
)
from fraudwatch.domain.lake.day_extract import DayTotals, SourcePage

log = logging.getLogger("extract_day")

TRIES = 5
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0
_CONNECT_SECONDS = 5.0
_OPEN = {HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}
_KEY_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
# Canonical JSON of a purchase, over which the source computes a day's checksum.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    day: str
    page: int
    pages: int
    page_size: int
    total_purchases: int
    total_amount_minor_by_currency: dict[str, int]
    checksum_sha256: str
    purchases: list[dict[str, Any]]


class ShopExtract:
    """``DaySource`` over HTTP, with retries when the source is temporarily unavailable."""

    def __init__(
        self,
        client: httpx.Client,
        page_purchases: int,
        *,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._page_purchases, self._rest = client, page_purchases, rest

    def page(self, day: str, number: int) -> SourcePage:
        answer = self._request(day, number)
        if answer.status_code in _OPEN:
            raise NoSuchDay(
                f"{day} has not ended at the source, so its data still changes; nothing was "
                "written: run this again after midnight UTC"
            )
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise NoSuchDay(
                f"the source has no page {number} of {day}; nothing was written: choose a day "
                "since its first one, and see that EXTRACT_SOURCE_URL is that of the shop"
            )
        if answer.status_code in _KEY_REFUSED:
            raise SourceUnavailable(
                f"the source refuses our key (status {answer.status_code}), so {day} was not "
                "read; set EXTRACT_SOURCE_API_KEY to the key of the source"
            )
        if answer.status_code != HTTPStatus.OK:
            raise SourceChanged(
                f"the source answers status {answer.status_code} to page {number} of {day}, which "
                "is outside its contract; nothing was written: ask its owner what changed"
            )
        return _page_of(answer.content, day, number)

    def _request(self, day: str, number: int) -> httpx.Response:
        wanted = {"page": number, "page_size": self._page_purchases}
        pause_seconds, why = _FIRST_PAUSE_SECONDS, ""
        for tried in range(1, TRIES + 1):
            try:
                answer = self._client.get(f"/v1/extract/{day}", params=wanted)
            except httpx.HTTPError as error:
                why = type(error).__name__
            else:
                if not _may_pass(answer.status_code):
                    return answer
                why = f"status {answer.status_code}"
            if tried < TRIES:
                log.warning("page %d of %s: %s; retry in %.1f s", number, day, why, pause_seconds)
                self._rest(pause_seconds)
                pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
        raise SourceUnavailable(
            f"the source gave no page {number} of {day} in {TRIES} tries ({why}); the pages read "
            "before are cached: check that it runs, then run this again to resume there"
        )


def source_client(
    url: str, api_key: str, timeout_seconds: float, transport: httpx.BaseTransport | None = None
) -> httpx.Client:
    """Create the HTTP client of the source; ``transport`` replaces the network in tests."""
    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {api_key}"},
        timeout=httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
        transport=transport,
    )


def _may_pass(status: int) -> bool:
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _page_of(content: bytes, day: str, number: int) -> SourcePage:
    try:
        answer = msgspec.json.decode(content, type=_Answer)
        amounts = _amounts(answer.purchases)
    except (msgspec.DecodeError, UnicodeDecodeError, _NoAmount) as error:
        raise SourceChanged(
            f"page {number} of {day} has another schema than its contract ({_fault_of(error)}); "
            "nothing was written: ask the source's owner what changed, and adapt the reader"
        ) from None  # the error's own text may quote a value
    if (answer.day, answer.page) != (day, number):
        raise SourceMismatch(
            f"the source answered page {answer.page} of {answer.day[:10]} to the request for page "
            f"{number} of {day}; nothing was written: run this again, then ask the source's owner"
        )
    return SourcePage(
        page=answer.page,
        pages=answer.pages,
        page_size=answer.page_size,
        totals=DayTotals(
            purchases=answer.total_purchases,
            amount_minor_by_currency=answer.total_amount_minor_by_currency,
            checksum_sha256=answer.checksum_sha256,
        ),
        amount_minor_by_currency=amounts,
        lines=tuple(_canonical(purchase).encode() for purchase in answer.purchases),
    )


class _NoAmount(ValueError):
    """A purchase lacks a currency or an amount."""


def _amounts(purchases: list[dict[str, Any]]) -> dict[str, int]:
    amounts = Counter[str]()
    for purchase in purchases:
        currency, amount = purchase.get("currency"), purchase.get("amount_minor")
        if not isinstance(currency, str) or type(amount) is not int:
            raise _NoAmount("a purchase lacks the text currency or the integer amount_minor")
        amounts[currency] += amount
    return dict(sorted(amounts.items()))


def _fault_of(error: Exception) -> str:
    """Describe a schema error by names of fields and types, never by a value."""
    if isinstance(error, msgspec.ValidationError | _NoAmount):
        return str(error)
    return f"no JSON: {type(error).__name__}"
