"""Describe message fields: a message is a frozen dataclass of ``Annotated[type, Fact(...)]``.

JSON Schema, bulk parser, data dictionary and bounds check are derived from these facts, so that
each is stated once. Type checkers get plain types, and as defaults only those written as defaults.
"""

from __future__ import annotations

import enum
import re
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import Any


class Sensitivity(enum.StrEnum):
    """Sensitivity of a field: it decides where the field may be stored and shown."""

    PUBLIC = "public"
    PSEUDONYM = "pseudonym"  # a keyed token: joinable, still personal data (EDPB 01/2025)
    SEALED = "sealed"  # ciphertext under the person's own key
    PERSONAL = "personal"  # must never pass the edge


@dataclass(frozen=True, slots=True)
class Fact:
    """Describe one field, inside ``Annotated``: meaning, unit, inclusive bounds, sensitivity.

    A default is no part of it: write it after the annotation, as in any dataclass.
    """

    meaning: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    pattern: str | None = None
    sensitivity: Sensitivity = Sensitivity.PUBLIC


@dataclass(frozen=True, slots=True)
class Column:
    """One resolved field of a message type: plain Python type, whether it is optional, its fact."""

    name: str
    type: type
    is_optional: bool
    has_default: bool
    fact: Fact


@cache
def columns_of(message: type) -> tuple[Column, ...]:
    """Resolve the columns of a message type, in declaration order.

    Raises:
        TypeError: a field does not carry exactly one fact.
    """
    hints = typing.get_type_hints(message, include_extras=True)
    return tuple(
        _column(f"{message.__name__}.{item.name}", item, hints[item.name])
        for item in fields(message)
    )


def _column(where: str, item: Field[Any], hint: Any) -> Column:
    facts = [extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Fact)]
    if len(facts) != 1:
        raise TypeError(
            f"{where} needs one Fact but has {len(facts)}, so neither its schema nor its check can "
            "be derived; declare it as Annotated[type, Fact(...)]"
        )
    declared = hint.__origin__
    options = [kind for kind in typing.get_args(declared) if kind is not types.NoneType]
    is_optional = types.NoneType in typing.get_args(declared)
    kind = options[0] if is_optional else declared
    return Column(item.name, kind, is_optional, item.default is not MISSING, facts[0])


@dataclass(frozen=True, slots=True)
class Problem:
    """Reason for refusing a message: the field and what is wrong with it, never its value."""

    field: str
    reason: str


def problems(message: Any) -> list[Problem]:
    """Check every field of ``message`` against its bounds; the value itself is never quoted."""
    return [
        Problem(name, reason)
        for name, broken in _checks(type(message))  # type: ignore[arg-type]  # mypy: a class's hash
        if (value := getattr(message, name)) is not None and (reason := broken(value))
    ]


def field_problem(column: Column, value: Any) -> str | None:
    """Return why a value of the column's type breaks its bounds, or None."""
    return next((reason for check in _checks_of_column(column) if (reason := check(value))), None)


@cache
def _checks_of_column(column: Column) -> tuple[Callable[[Any], str | None], ...]:
    return tuple(_checks_of(column.fact))


@cache
def _checks(message: type[Any]) -> tuple[tuple[str, Callable[[Any], str | None]], ...]:
    columns = columns_of(message)  # type: ignore[arg-type]  # mypy: a class's hash
    return tuple((c.name, check) for c in columns for check in _checks_of(c.fact))


def _checks_of(rule: Fact) -> Iterator[Callable[[Any], str | None]]:
    low, high, longest, pattern = rule.minimum, rule.maximum, rule.max_length, rule.pattern
    if low is not None or high is not None:
        low_ = float("-inf") if low is None else low
        high_ = float("inf") if high is None else high
        # A NaN fails both comparisons, so it is refused as well.
        yield lambda v: None if low_ <= v <= high_ else f"must lie between {low} and {high}"
    if longest is not None:
        yield lambda v: None if len(v) <= longest else f"is longer than {longest} characters"
    if pattern is not None:
        matches = re.compile(pattern).fullmatch
        yield lambda v: None if matches(v) else f"does not match {pattern}"


def json_schema_of(message: type, *, title: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a message type, as stored under ``contracts/schemas``."""
    properties, required = {}, []
    for column in columns_of(message):
        properties[column.name] = _property(column)
        if not column.has_default:
            required.append(column.name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": (message.__doc__ or "").split("\n\n")[0],
        "type": "object",
        "properties": properties,
        "required": required,
    }


_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def _property(column: Column) -> dict[str, Any]:
    rule = column.fact
    described: dict[str, Any] = {"description": rule.meaning, **_json_type(column.type)}
    if column.is_optional:
        described["type"] = [described["type"], "null"]
        if "enum" in described:
            described["enum"] = [*described["enum"], None]
    bounds = {
        "minimum": rule.minimum,
        "maximum": rule.maximum,
        "maxLength": rule.max_length,
        "pattern": rule.pattern and f"^(?:{rule.pattern})$",
        "x-unit": rule.unit,
    }
    described |= {name: value for name, value in bounds.items() if value is not None}
    described["x-sensitivity"] = str(rule.sensitivity)
    return described


def _json_type(kind: Any) -> dict[str, Any]:
    if typing.get_origin(kind) is tuple:
        item = typing.get_args(kind)[0]
        return {"type": "array", "items": _json_type(item)}
    if typing.get_origin(kind) is dict:
        return {"type": "object"}
    if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
        return {"type": "string", "enum": [str(member) for member in kind]}
    if kind in _JSON_TYPES:
        return {"type": _JSON_TYPES[kind]}
    nested = json_schema_of(kind, title=kind.__name__)
    return {k: nested[k] for k in ("type", "properties", "required")}
