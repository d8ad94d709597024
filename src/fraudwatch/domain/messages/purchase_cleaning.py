"""Clean the optional fields of a purchase: an unusable one is unknown, and the rest is judged.

One definition for the API, feeds, extracts and replayed dead letters, so that stream and batch
admit the same purchase. Required fields are never changed: an amount or an id is never guessed.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from fraudwatch.domain.ip_addresses import cleaned_address
from fraudwatch.domain.messages.fields import Column, columns_of, field_problem
from fraudwatch.domain.messages.purchase import Purchase

_GROUPED = re.compile(r"[ -]")
_POSITIONS: Final = ("purchase", "billing", "shipping")


class FieldOutcome(enum.StrEnum):
    """Outcome of a field that was not usable as it was sent."""

    CLEANED = "cleaned"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """Warning about one optional field: what was done and why, never its value."""

    field: str
    outcome: FieldOutcome
    reason: str


class CleanedPurchase(NamedTuple):
    """Fields of a purchase with usable optional ones, the warnings, and the unknown names."""

    fields: dict[str, Any]
    warnings: tuple[FieldWarning, ...]
    ignored: tuple[str, ...]


def clean_purchase(sent: Mapping[str, Any]) -> CleanedPurchase:
    """Clean a purchase as it was sent; required fields stay as they are, right or wrong."""
    optional = _optional_columns()
    fields = dict(sent)
    warnings: list[FieldWarning] = []
    for name in sent.keys() & optional.keys():
        value = sent[name]
        if value is None:
            continue
        usable, reason = _usable(optional[name], value)
        if usable is None:
            del fields[name]
            warnings.append(FieldWarning(name, FieldOutcome.UNKNOWN, reason or "is unusable"))
        elif reason is not None:
            fields[name] = usable
            warnings.append(FieldWarning(name, FieldOutcome.CLEANED, reason))
    warnings += _nowhere(fields)
    warnings.sort(key=lambda warning: warning.field)
    ignored = sorted(sent.keys() - {column.name for column in columns_of(Purchase)})
    return CleanedPurchase(fields, tuple(warnings), tuple(ignored))


@cache
def _optional_columns() -> dict[str, Column]:
    return {column.name: column for column in columns_of(Purchase) if column.is_optional}


OPTIONAL_FIELDS: Final = tuple(_optional_columns())
"""Names of the fields that can be the subject of a warning."""


def _usable(column: Column, value: Any) -> tuple[Any | None, str | None]:
    """Return the value to use and what was done to it, or None and why it is unusable."""
    typed, reason = _typed(column, value)
    if typed is None:
        return None, reason
    if isinstance(typed, str):
        if not typed.strip():
            return None, "is empty"
        if (clean := _CLEANERS.get(column.name)) is not None:
            typed, done = clean(typed)
            reason = done or reason
            if typed is None:
                return None, reason
    broken = field_problem(column, typed)
    return (typed, reason) if broken is None else (None, broken)


def _typed(column: Column, value: Any) -> tuple[Any | None, str | None]:
    """Return the value in its column's type, if it is unambiguous which one is meant."""
    wanted = column.type
    if isinstance(value, bool):
        return None, "has another type"
    if wanted is float and isinstance(value, int | float):
        return value, None
    if wanted is int and isinstance(value, float) and value.is_integer():
        return int(value), "is a whole number with a decimal point, which was left out"
    if issubclass(wanted, enum.Enum):
        known = isinstance(value, str) and value in {str(member) for member in wanted}
        return (value, None) if known else (None, "has a value outside its closed set")
    if wanted is str and isinstance(value, int):
        return str(value), "is a number, which was read as text"
    return (value, None) if isinstance(value, wanted) else (None, "has another type")


def _clean_country(text: str) -> tuple[str | None, str | None]:
    plain = text.strip().upper()
    return plain, None if plain == text else "was written in capitals, without spaces"


def _clean_grouped(text: str) -> tuple[str | None, str | None]:
    plain = _GROUPED.sub("", text)
    return plain, None if plain == text else "has spaces or dashes, which were left out"


_CLEANERS: Final[dict[str, Callable[[str], tuple[str | None, str | None]]]] = {
    "ip": cleaned_address,
    "card_number": _clean_grouped,
    "phone": _clean_grouped,
    "merchant_country": _clean_country,
    "billing_country": _clean_country,
    "shipping_country": _clean_country,
}


def _nowhere(fields: dict[str, Any]) -> list[FieldWarning]:
    """Remove positions of exactly 0, 0: a missing position that became a number."""
    warnings = []
    for place in _POSITIONS:
        pair = (f"{place}_latitude", f"{place}_longitude")
        if all(fields.get(name) == 0 for name in pair):
            for name in pair:
                del fields[name]
                warnings.append(FieldWarning(name, FieldOutcome.UNKNOWN, "is the position 0, 0"))
    return warnings
