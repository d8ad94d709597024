"""Checks of a mapping's keys against each other; each finding names a key and its error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fraudwatch.adapters.datasets.expressions import Expression, WrongExpression
from fraudwatch.adapters.datasets.json_path import WrongPath, is_json_path, is_part_of, steps_of
from fraudwatch.adapters.datasets.message_fields import SHARED
from fraudwatch.adapters.datasets.refund_checks import wrong_rows
from fraudwatch.adapters.datasets.templates import (
    JOIN_PREFIX,
    OWN_NAMES,
    has_stray_brace,
    placeholders,
)

if TYPE_CHECKING:
    from fraudwatch.adapters.datasets.mapping import Mapping


def findings(mapping: Mapping) -> list[str]:
    """List every error of the mapping."""
    return [
        *_wrong_fields(mapping),
        *_wrong_values(mapping, mapping.values, "values"),
        *_wrong_refunds(mapping),
        *_wrong_computed(mapping),
        *_wrong_columns(mapping),
        *_wrong_lists(mapping),
        *_wrong_numbers(mapping),
    ]


def _wrong_fields(mapping: Mapping) -> Iterator[str]:
    is_all = mapping.refunds is not None and mapping.refunds.rows == "all"
    # Where no row is a purchase, what refunds do not have is not needed.
    required = ("event_at_ms", *SHARED) if is_all else mapping.message.required
    yield from (f"fields.{name}: is required" for name in required if name not in mapping.fields)
    yield from _wrong_templates(mapping, mapping.fields, "fields")


def _wrong_refunds(mapping: Mapping) -> Iterator[str]:
    if mapping.refunds is None or mapping.of_refunds is None:
        return
    yield from wrong_rows(mapping)
    yield from _wrong_templates(mapping.of_refunds, mapping.refunds.fields, "refunds.fields")
    yield from _wrong_values(mapping.of_refunds, mapping.refunds.values, "refunds.values")
    rows = mapping.refunds.rows
    yield from _wrong_stars(rows if isinstance(rows, dict) else {}, "refunds.rows")


def _wrong_templates(mapping: Mapping, fields: dict[str, str], key: str) -> Iterator[str]:
    message = mapping.message
    for name, template in fields.items():
        if name not in message.columns:
            known = ", ".join(message.columns)
            yield f"{key}.{name}: a {message.name} has no such field; it has {known}"
        elif reason := _wrong_template(mapping, name, template):
            yield f"{key}.{name}: {reason}"


def _wrong_template(mapping: Mapping, name: str, template: str) -> str | None:
    if has_stray_brace(template):
        return "has a brace without its partner"
    if names := placeholders(template):
        numeric = mapping.message.numeric
        if name not in numeric and set(names) & mapping.computed.keys():
            return f"is no number, so it cannot be computed; only {', '.join(numeric)} can"
        # Event order is needed before the join.
        is_elsewhere = any(
            column in OWN_NAMES or column.startswith(JOIN_PREFIX)
            for column in mapping.columns_of(name)
        )
        if name == "event_at_ms" and is_elsewhere:
            return "must be made of the data file's own columns"
        return None
    if name in mapping.message.varying:
        return "is the same for every row; name a column, as in {column}"
    return None if name in mapping.values else mapping.message.refusal_of(name, template)


def _wrong_values(mapping: Mapping, values: dict[str, dict[str, str]], key: str) -> Iterator[str]:
    for name, table in values.items():
        if name not in mapping.fields or name in mapping.message.varying:
            yield (
                f"{key}.{name}: is allowed only for a field under fields, and for none of"
                f" {', '.join(mapping.message.varying)}"
            )
            continue
        yield from _wrong_stars({name: list(table)}, key)
        for pattern, value in table.items():
            if name in mapping.message.columns and (
                reason := mapping.message.refusal_of(name, value)
            ):
                yield f"{key}.{name}.{pattern}: {reason}"


def _wrong_stars(patterns: dict[str, list[str]], key: str) -> Iterator[str]:
    for name, listed in patterns.items():
        for pattern in listed:
            if _has_inner_star(pattern):
                yield f"{key}.{name}.{pattern}: one * only, at its start or its end"


def _has_inner_star(pattern: str) -> bool:
    return "*" in pattern.removeprefix("*").removesuffix("*") or pattern.count("*") > 1


def _wrong_computed(mapping: Mapping) -> Iterator[str]:
    for name, text in mapping.computed.items():
        if has_stray_brace(text):
            yield f"computed.{name}: has a brace without its partner"
            continue
        try:
            used = set(Expression(text).names)
        except WrongExpression as error:
            yield f"computed.{name}: {error}"
            continue
        if name in OWN_NAMES or name.startswith(JOIN_PREFIX) or used & mapping.computed.keys():
            yield f"computed.{name}: must be a new name, made of the files' columns"


def _wrong_columns(mapping: Mapping) -> Iterator[str]:
    barred = set(mapping.never_read)
    reads = {f"fields.{name}": placeholders(text) for name, text in mapping.fields.items()}
    reads |= {f"computed.{name}": placeholders(text) for name, text in mapping.computed.items()}
    reads |= {f"leave_out.{column}": [column] for column in mapping.leave_out}
    reads |= {f"only.{column}": [column] for column in mapping.only}
    if mapping.refunds:
        own = mapping.refunds
        reads |= {f"refunds.fields.{name}": placeholders(t) for name, t in own.fields.items()}
        reads |= {f"refunds.rows.{column}": [column] for column in own.row_columns}
    for key, columns in reads.items():
        for column in columns:
            if reason := _wrong_path(column):
                yield f"{key}: {column} {reason}"
            if any(is_part_of(column.removeprefix(JOIN_PREFIX), one) for one in barred):
                yield f"{key}: reads {column}, which never_read forbids"
    if mapping.join is None and mapping.joined_columns:
        yield f"join: is missing, but {JOIN_PREFIX}{mapping.joined_columns[0]} is read"
    if mapping.label and mapping.label.column not in barred:
        yield "label.column: must be listed under never_read, so that no replay reads it"
    if mapping.join and barred & {mapping.join.by, mapping.join.key_column}:
        yield "join: its key is a column that never_read forbids"


def _wrong_path(column: str) -> str | None:
    try:
        if is_json_path(column):
            steps_of(column)
    except WrongPath as error:
        return str(error)
    return None


def _wrong_lists(mapping: Mapping) -> Iterator[str]:
    read = {*mapping.data_columns, *(JOIN_PREFIX + name for name in mapping.joined_columns)}
    own = mapping.refunds.fields if mapping.refunds else {}
    for name in mapping.absent:
        if name not in read | mapping.fields.keys() | own.keys():
            yield f"absent.{name}: is no column that the mapping reads, and no field under fields"
    for name in mapping.absent_if_invalid:
        if name not in mapping.fields or not mapping.message.columns[name].is_optional:
            yield f"absent_if_invalid: {name} is no optional field under fields"
    for key, chosen in (("leave_out", mapping.leave_out), ("only", mapping.only)):
        for column in chosen:
            if column in OWN_NAMES or column.startswith(JOIN_PREFIX):
                yield f"{key}.{column}: must be a column of the data file"
        yield from _wrong_stars(chosen, key)


def _wrong_numbers(mapping: Mapping) -> Iterator[str]:
    if mapping.grouping and mapping.grouping == (mapping.decimal or "."):
        yield "grouping: is the decimal mark too; give decimal as well"
    if any(not sign.strip() or any(c.isdigit() for c in sign) for sign in mapping.currency_signs):
        yield "currency_signs: must be signs such as $ or EUR, without digits"
