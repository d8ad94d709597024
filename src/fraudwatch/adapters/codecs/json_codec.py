"""Encode and decode messages as JSON with msgspec: it checks types, the domain checks bounds.

Unknown fields are ignored, so that a source may add one before it is known here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, TypeVar

import msgspec

from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem

M = TypeVar("M")
encode = msgspec.json.Encoder().encode
_MISSING = re.compile(r"missing required field `([^`]+)`")
_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_EXPECTED = re.compile(r"Expected `[^`]+`(?:, got `[^`]+`)?")


def decode(message: type[M], payload: bytes | memoryview | msgspec.Raw) -> M:
    """Decode one message of a type.

    Raises:
        Refused: it is no JSON, or a field is missing or of a wrong type. The error names fields and
            types, never a value.
    """
    try:
        decoded: M = _decoder(message).decode(payload)  # type: ignore[arg-type]  # mypy: a class's hash
    except msgspec.ValidationError as error:
        raise refusal(error) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        broken = Problem("message", f"is no JSON object ({type(error).__name__})")
        raise Refused(Code.NOT_JSON, [broken]) from None
    return decoded


def refusal(error: msgspec.ValidationError) -> Refused:
    """Translate an error about types into a refusal, which never holds a value."""
    return Refused(Code.WRONG_SCHEMA, [_problem(str(error))])


@cache
def _decoder(message: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(message)


def _problem(text: str) -> Problem:
    place = _PLACE.search(text)
    field = (place.group(1) if place else "") or "message"
    if missing := _MISSING.search(text):
        return Problem(missing.group(1), "is missing")
    # msgspec quotes the invalid value of an enum; only type names are passed on.
    if expected := _EXPECTED.search(text):
        return Problem(field, expected.group(0).replace("`", "").lower())
    return Problem(field, "has a value outside its closed set")
