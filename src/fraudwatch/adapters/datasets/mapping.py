"""Mapping files: define how columns of a data set become purchases, checked before any row is read.

Every field is a template, a text with column names in braces; a constant is a template without any.
``contracts/datasets/README.md`` documents it for users.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from fraudwatch.adapters.datasets import mapping_checks
from fraudwatch.adapters.datasets.expressions import Expression
from fraudwatch.adapters.datasets.layout import Layout
from fraudwatch.adapters.datasets.mapping_keys import Join, LabelColumns, Refunds, Time
from fraudwatch.adapters.datasets.message_fields import PURCHASE, REFUND, SHARED, MessageFields
from fraudwatch.adapters.datasets.number_text import NumberFormat
from fraudwatch.adapters.datasets.templates import (
    JOIN_PREFIX,
    OWN_NAMES,
    alternatives,
    pieces,
    placeholders,
)

# Keys that came later are left out of a replay's identity where they are not used, so that a file
# that was replayed before they existed is still the same replay.
_FIRST_KEYS = ("separator", "never_read", "join", "time", "amount", "fields", "values")
_FIRST_KEYS_WITHIN = {"join": ("file", "by", "key"), "time": ("zone", "text", "epoch")}


class WrongMapping(ValueError):
    """The mapping file is invalid; each line names a key and its error."""


class Mapping(Layout):
    """Validated mapping file; see ``contracts/datasets/README.md``."""

    about: str
    never_read: list[str]
    label: LabelColumns | None = None
    join: Join | None = None
    time: Time = Time()
    amount: Literal["major", "minor"]
    decimal: Literal[".", ","] | None = None
    grouping: Literal[".", ",", " ", "'", ""] | None = None
    currency_signs: list[str] = Field(default_factory=list)
    negative: Literal["refuse", "flip", "absolute"] = "refuse"
    absent: dict[str, list[str]] = Field(default_factory=dict)
    absent_if_invalid: list[str] = Field(default_factory=list)
    leave_out: dict[str, list[str]] = Field(default_factory=dict)
    only: dict[str, list[str]] = Field(default_factory=dict)
    computed: dict[str, str] = Field(default_factory=dict)
    fields: dict[str, str]
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    refunds: Refunds | None = None

    @property
    def message(self) -> MessageFields:
        """Kind of message that the fields are of."""
        return PURCHASE

    @cached_property
    def of_refunds(self) -> RefundMapping | None:
        """Mapping of the rows that are refunds: its own fields, and those shared with purchases."""
        own = self.refunds
        if own is None:
            return None
        shared = {name: text for name, text in self.fields.items() if name in SHARED}
        if "event_at_ms" in self.fields:
            shared["refunded_at_ms"] = self.fields["event_at_ms"]
        values = {name: table for name, table in self.values.items() if name in shared}
        changed = {
            "fields": shared | own.fields,
            "values": {n: t for n, t in values.items() if n not in own.fields} | own.values,
            "time": own.time or self.time,
            "negative": "absolute",  # which rows are refunds is known already
            "absent_if_invalid": [],
            "refunds": None,
        }
        return RefundMapping.model_construct(**(dict(self) | changed))

    @property
    def data_columns(self) -> list[str]:
        """Columns read from the data file, sorted; no others are loaded."""
        own = {c for c in self._references() if not c.startswith(JOIN_PREFIX)}
        joined = {self.join.by} if self.join else set()
        return sorted((own | joined) - set(OWN_NAMES))

    @property
    def required_columns(self) -> set[str]:
        """Columns without which no row is a purchase, or the wrong rows would be."""
        needed = {*self.only, *self.leave_out, *([self.join.by] if self.join else [])}
        for name in PURCHASE.required:
            # A file of refunds alone has no field that only purchases need.
            for part, is_placeholder in pieces(self.fields.get(name, "")):
                if is_placeholder and len(alternatives(part)) == 1:
                    needed |= set(placeholders(self.computed.get(part, f"{{{part}}}")))
        return needed & set(self.data_columns)

    @property
    def joined_columns(self) -> list[str]:
        """Columns read from the joined file besides its key, sorted."""
        return sorted(
            {c.removeprefix(JOIN_PREFIX) for c in self._references() if c.startswith(JOIN_PREFIX)}
        )

    @cached_property
    def expressions(self) -> dict[str, Expression]:
        """Compiled arithmetic of ``computed``, by name."""
        return {name: Expression(text) for name, text in self.computed.items()}

    @cached_property
    def numbers(self) -> NumberFormat:
        """Format of this file's numbers; a decimal comma is grouped by points if nothing else."""
        decimal = self.decimal or "."
        grouping = self.grouping
        if grouping is None:
            grouping = "." if decimal == "," else ""
        return NumberFormat(decimal, grouping, tuple(self.currency_signs))

    @property
    def join_layout(self) -> Layout:
        """Layout of the joined file: its own, or the data file's for the cells."""
        if self.join and self.join.layout:
            return self.join.layout
        cells = {"separator", "quote", "escape", "encoding"} & self.model_fields_set
        return Layout.model_validate({key: getattr(self, key) for key in cells})

    def columns_of(self, field: str) -> list[str]:
        """Columns of the files that a field is made of, in order."""
        names: list[str] = []
        for name in placeholders(self.fields[field]):
            names += placeholders(self.computed[name]) if name in self.computed else [name]
        return names

    def reads(self, own_name: str) -> bool:
        """Return whether a field is made of a row's number or hash, or the file's hash."""
        return any(own_name in placeholders(template) for template in self._templates())

    def _templates(self) -> list[str]:
        own = self.refunds.fields.values() if self.refunds else ()
        return [*self.fields.values(), *own]

    def identity(self) -> dict[str, Any]:
        """Return what decides which purchases a replay sends."""
        whole, used = self.model_dump(), self.model_dump(exclude_defaults=True)
        found = {key: whole[key] for key in _FIRST_KEYS}
        for key, first in _FIRST_KEYS_WITHIN.items():
            if found[key]:
                names = [*first, *sorted(used.get(key, {}).keys() - {*first})]
                found[key] = {name: whole[key][name] for name in names}
        later = used.keys() - {*_FIRST_KEYS, "about", "label"}
        return found | {key: used[key] for key in sorted(later)}

    def _references(self) -> set[str]:
        named = {name for template in self._templates() for name in placeholders(template)}
        arithmetic = {name for text in self.computed.values() for name in placeholders(text)}
        rows = {
            *self.leave_out,
            *self.only,
            *(self.refunds.row_columns if self.refunds else ()),
        }
        return (named - self.computed.keys()) | arithmetic | rows

    @model_validator(mode="after")
    def _check(self) -> Self:
        if found := mapping_checks.findings(self):
            raise ValueError("\n  ".join(found))
        return self


class RefundMapping(Mapping):
    """Mapping of refund rows, derived from a checked mapping."""

    @property
    def message(self) -> MessageFields:
        """Kind of message that the fields are of."""
        return REFUND


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        WrongMapping: with one line for each invalid key.
    """
    try:
        return Mapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise WrongMapping(f"{path} cannot be read as YAML: {reason}") from error
    except ValidationError as error:
        lines = "\n  ".join(_sentence(item) for item in error.errors())
        raise WrongMapping(f"{path} is not a valid mapping:\n  {lines}") from None


def _sentence(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "string_type":
        message = "must be text; put quotation marks around it"
    elif item["type"] == "extra_forbidden":
        message = "no such key"
    return f"{key}: {message}" if key else message
