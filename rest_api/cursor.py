"""Encode the position of a page as an opaque cursor, bound to the filters of its search.

It is validated, not signed: it only says where to continue, and every page checks the key again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.application.alert_search import Position
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem
from fraudwatch.domain.messages.purchase import LATEST_EVENT_MS
from rest_api.schemas import AlertFilters

_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class _Cursor:
    at: int
    after: str
    of: str


def cursor_of(position: Position, filters: AlertFilters) -> str:
    """Return the cursor of a position in a search."""
    cursor = _Cursor(position.decided_at_ms, position.transaction_id, _digest(filters))
    return base64.urlsafe_b64encode(encode(cursor)).decode().rstrip("=")


def position_of(filters: AlertFilters) -> Position | None:
    """Return the position of the filters' cursor; None without one.

    Raises:
        Refused: it is no cursor of a search with these filters.
    """
    if filters.cursor is None:
        return None
    padded = filters.cursor + "=" * (-len(filters.cursor) % 4)
    try:
        cursor = decode(_Cursor, base64.urlsafe_b64decode(padded))
    except (binascii.Error, Refused):
        raise _refused("is no cursor of this API") from None
    if not 0 <= cursor.at <= LATEST_EVENT_MS:
        raise _refused("is no cursor of this API")
    if cursor.of != _digest(filters):
        raise _refused("is of a search with other filters; begin without a cursor")
    return Position(cursor.at, cursor.after)


def _refused(reason: str) -> Refused:
    return Refused(Code.OUT_OF_BOUNDS, [Problem("cursor", reason)])


def _digest(filters: AlertFilters) -> str:
    named = filters.model_dump_json(
        include={"customer_token", "merchant_id", "rule", "risk", "since_ms", "until_ms"}
    )
    return hashlib.sha256(named.encode()).hexdigest()[:_DIGEST_CHARACTERS]
