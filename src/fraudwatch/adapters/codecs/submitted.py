"""Read messages as clients submit them: purchases with usable optional fields, and labels.

What was cleaned, left out or not known here is returned beside the message, so that an answer names
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, TypeVar

import msgspec

from fraudwatch.adapters.codecs.json_codec import decode, refusal
from fraudwatch.application.intake.intake import FeedItem, RefusedBatch
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem, columns_of
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.purchase_cleaning import FieldWarning, clean_purchase
from fraudwatch.domain.messages.refund import ReportedRefund

Content = TypeVar("Content")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Submitted(Generic[Content]):
    """One message, the warnings about its fields, and the names of fields not known here."""

    content: Content
    warnings: tuple[FieldWarning, ...] = ()
    ignored: tuple[str, ...] = ()


class TooManyMessages(Exception):
    """A body has more messages than one call may have; none of them was read."""


Reader = Callable[[Any], Submitted[Content]]
"""Reads a decoded JSON document, or raises ``Refused``."""


def purchase_of(document: Any) -> Submitted[Purchase]:
    """Read a purchase, whose unusable optional fields become unknown.

    Raises:
        Refused: it is no object, or a required field is missing or of a wrong type.
    """
    cleaned = clean_purchase(_fields_of(document))
    return Submitted(
        _converted(cleaned.fields, Purchase), cleaned.warnings, _shortened(cleaned.ignored)
    )


def label_of(document: Any) -> Submitted[ReportedLabel]:
    """Read a label report, of which nothing is cleaned: a wrong label would be learned.

    Raises:
        Refused: it is no object, or a field is missing or of a wrong type.
    """
    fields = _fields_of(document)
    unknown = sorted(fields.keys() - _names_of(ReportedLabel))
    return Submitted(_converted(fields, ReportedLabel), ignored=_shortened(unknown))


def refund_of(document: Any) -> Submitted[ReportedRefund]:
    """Read a refund report, of which nothing is cleaned: it names a purchase and an amount.

    Raises:
        Refused: it is no object, or a field is missing or of a wrong type.
    """
    fields = _fields_of(document)
    unknown = sorted(fields.keys() - _names_of(ReportedRefund))
    return Submitted(_converted(fields, ReportedRefund), ignored=_shortened(unknown))


def purchase_or_refund_of(document: Any) -> Submitted[Purchase | ReportedRefund]:
    """Read a message of a feed of purchases and their refunds.

    A refund has ``refunded_at_ms`` and no ``event_at_ms``.

    Raises:
        Refused: see :func:`purchase_of` and :func:`refund_of`.
    """
    fields = _fields_of(document)
    is_refund = "refunded_at_ms" in fields and "event_at_ms" not in fields
    read = refund_of(fields) if is_refund else purchase_of(fields)
    return Submitted(read.content, read.warnings, read.ignored)


def read_one(reader: Reader[Content], payload: bytes | msgspec.Raw) -> Submitted[Content]:
    """Read one message.

    Raises:
        Refused: it is no JSON, or the reader refuses it.
    """
    return reader(decode(object, payload))


def read_purchase(payload: bytes) -> Purchase:
    """Read one purchase as ingest admits it, for readers that answer nobody.

    Raises:
        Refused: see :func:`purchase_of`.
    """
    return read_one(purchase_of, payload).content


def read_purchase_or_refund(payload: bytes) -> Purchase | ReportedRefund:
    """Read one message of the purchase feed as ingest admits it.

    Raises:
        Refused: see :func:`purchase_or_refund_of`.
    """
    return read_one(purchase_or_refund_of, payload).content


def read_label(payload: bytes) -> ReportedLabel:
    """Read one label report as ingest admits it.

    Raises:
        Refused: see :func:`label_of`.
    """
    return read_one(label_of, payload).content


def messages_of(body: bytes, *, largest_batch: int) -> list[Any]:
    """Parse a message or a list of messages.

    Raises:
        Refused: the body is no JSON.
        TooManyMessages: they are more than ``largest_batch``.
    """
    document = decode(object, body.removeprefix(_BYTE_ORDER_MARK))
    messages = document if isinstance(document, list) else [document]
    if len(messages) > largest_batch:
        raise TooManyMessages
    return messages


def read_messages(
    reader: Reader[Content], messages: Iterable[Any], *, is_strict: bool = False
) -> list[Submitted[Content]]:
    """Read parsed messages; strict: fields not known here are refused.

    Raises:
        RefusedBatch: some of the messages are refused.
    """
    read: list[Submitted[Content]] = []
    refused: dict[int, Refused] = {}
    for index, one in enumerate(messages):
        try:
            read.append(_known(reader(one)) if is_strict else reader(one))
        except Refused as why:
            refused[index] = why
    if refused:
        raise RefusedBatch(refused)
    return read


def feed_item(origin: str, payload: bytes, reader: Reader[Content]) -> FeedItem[Content]:
    """Read a message of a feed; its refusal takes the place of its content."""
    try:
        read = read_one(reader, payload)
    except Refused as why:
        return FeedItem(origin, payload, why)
    return FeedItem(origin, payload, read.content, read.warnings, read.ignored)


def _fields_of(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise Refused(Code.WRONG_SCHEMA, [Problem("message", "expected object")])
    return document


def _converted(fields: Mapping[str, Any], message: type[Content]) -> Content:
    try:
        return msgspec.convert(fields, message)
    except msgspec.ValidationError as error:
        raise refusal(error) from None


@cache
def _names_of(message: type[Any]) -> frozenset[str]:
    return frozenset(column.name for column in columns_of(message))  # type: ignore[arg-type]


def _shortened(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name[:_LONGEST_NAME] for name in names)


def _known(read: Submitted[Content]) -> Submitted[Content]:
    if read.ignored:
        raise Refused(
            Code.WRONG_SCHEMA, [Problem(name, "is not a known field") for name in read.ignored]
        )
    return read
