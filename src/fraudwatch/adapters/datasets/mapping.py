"""Mapping files: define how columns of a data set become purchases, checked before any row is read.

Every field is a template, a text with column names in braces; a constant is a template without any.
``contracts/datasets/README.md`` documents it for users.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fraudwatch.domain.messages.fields import columns_of, problems
from fraudwatch.domain.messages.purchase import EARLIEST_EVENT_MS, Channel, PaymentStatus, Purchase

ROW_NUMBER, ROW_HASH, JOIN_PREFIX = "row_number", "row_hash", "join."
OWN_NAMES = (ROW_NUMBER, ROW_HASH)
COLUMNS = {column.name: column for column in columns_of(Purchase)}
REQUIRED = tuple(name for name, column in COLUMNS.items() if not column.has_default)
# A constant would make these fields meaningless.
VARYING = ("id", "event_at_ms", "customer_id", "amount_minor")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_SAMPLE = Purchase(
    source="sample",
    id="1",
    event_at_ms=EARLIEST_EVENT_MS,
    customer_id="c",
    amount_minor=0,
    currency="EUR",
    payment_status=PaymentStatus.APPROVED,
    channel=Channel.PRESENT,
    merchant_id="m",
)


class WrongMapping(ValueError):
    """The mapping file is invalid; each line names a key and its error."""


def pieces(template: str) -> list[tuple[str, bool]]:
    """Split a template into parts in order: (text, whether it is a column name)."""
    found = [(part, bool(i % 2)) for i, part in enumerate(_PLACEHOLDER.split(template))]
    return [(part, is_column) for part, is_column in found if part]


def placeholders(template: str) -> list[str]:
    """Return the column names in a template, in order."""
    return _PLACEHOLDER.findall(template)


def refusal_of(field: str, value: Any) -> str | None:
    """Return why this value is invalid for this field of a purchase, or None."""
    kind = COLUMNS[field].type
    try:
        typed = kind(value)
    except ValueError:
        members = getattr(kind, "__members__", {}).values()
        return f"must be one of {', '.join(members)}" if members else f"must be {kind.__name__}"
    found = problems(replace(_SAMPLE, **{field: typed}))
    return found[0].reason if found else None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Join(_Strict):
    """Second file, beside the data file, with one row for each value of ``by``."""

    file: str
    by: str
    key: str | None = None  # the column's name in the joined file, where it differs

    @property
    def key_column(self) -> str:
        """Key column of the joined file."""
        return self.key or self.by


class Time(_Strict):
    """Format of ``event_at_ms``; a column of instants needs only its zone."""

    zone: str = "UTC"
    text: str | None = None
    epoch: Literal["s", "ms", "us", "ns"] | None = None

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("is no time zone of the IANA data base, such as UTC") from None
        return zone

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.text is not None and self.epoch is not None:
            raise ValueError("give text or epoch, not both")
        return self


class LabelColumns(_Strict):
    """Label column, read by reports only; any other value is no label."""

    column: str
    fraud: list[str] = Field(min_length=1)
    genuine: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if set(self.fraud) & set(self.genuine):
            raise ValueError("a value may not mean fraud and genuine")
        return self


class Mapping(_Strict):
    """Validated mapping file; see ``contracts/datasets/README.md``."""

    about: str
    separator: str = Field(default=",", min_length=1, max_length=1)
    never_read: list[str]
    label: LabelColumns | None = None
    join: Join | None = None
    time: Time = Time()
    amount: Literal["major", "minor"]
    fields: dict[str, str]
    values: dict[str, dict[str, str]] = {}

    @property
    def data_columns(self) -> list[str]:
        """Columns read from the data file, sorted; no others are loaded."""
        own = {c for c in self._references() if not c.startswith(JOIN_PREFIX)}
        joined = {self.join.by} if self.join else set()
        return sorted((own | joined) - set(OWN_NAMES))

    @property
    def joined_columns(self) -> list[str]:
        """Columns read from the joined file besides its key, sorted."""
        return sorted(
            {c.removeprefix(JOIN_PREFIX) for c in self._references() if c.startswith(JOIN_PREFIX)}
        )

    def _references(self) -> set[str]:
        return {name for template in self.fields.values() for name in placeholders(template)}

    @model_validator(mode="after")
    def _check(self) -> Self:
        found = [*self._wrong_fields(), *self._wrong_values(), *self._wrong_columns()]
        if found:
            raise ValueError("\n  ".join(found))
        return self

    def _wrong_fields(self) -> list[str]:
        wrong = [
            f"fields.{name}: a purchase has no such field; it has {', '.join(COLUMNS)}"
            for name in self.fields
            if name not in COLUMNS
        ]
        wrong += [f"fields.{name}: is required" for name in REQUIRED if name not in self.fields]
        for name, template in self.fields.items():
            if name in COLUMNS and (reason := self._wrong_template(name, template)):
                wrong.append(f"fields.{name}: {reason}")
        return wrong

    def _wrong_template(self, name: str, template: str) -> str | None:
        if re.search(r"[{}]", _PLACEHOLDER.sub("", template)):
            return "has a brace without its partner"
        if names := placeholders(template):
            # Event order is needed before the join.
            is_elsewhere = any(n in OWN_NAMES or n.startswith(JOIN_PREFIX) for n in names)
            if name == "event_at_ms" and is_elsewhere:
                return "must be made of the data file's own columns"
            return None
        if name in VARYING:
            return "is the same for every row; name a column, as in {column}"
        return None if name in self.values else refusal_of(name, template)

    def _wrong_values(self) -> list[str]:
        wrong = []
        for name, table in self.values.items():
            if name not in self.fields or name in VARYING:
                wrong.append(
                    f"values.{name}: is allowed only for a field under fields, and for none of"
                    f" {', '.join(VARYING)}"
                )
                continue
            for pattern, value in table.items():
                if "*" in pattern.removeprefix("*").removesuffix("*") or pattern.count("*") > 1:
                    wrong.append(f"values.{name}.{pattern}: one * only, at its start or its end")
                if reason := refusal_of(name, value):
                    wrong.append(f"values.{name}.{pattern}: {reason}")
        return wrong

    def _wrong_columns(self) -> list[str]:
        barred = set(self.never_read)
        wrong = [
            f"fields.{name}: reads {column}, which never_read forbids"
            for name, template in self.fields.items()
            for column in placeholders(template)
            if column.removeprefix(JOIN_PREFIX) in barred
        ]
        if self.join is None and self.joined_columns:
            wrong.append(f"join: is missing, but {JOIN_PREFIX}{self.joined_columns[0]} is read")
        if self.label and self.label.column not in barred:
            wrong.append(
                "label.column: must be listed under never_read, so that no replay reads it"
            )
        if self.join and barred & {self.join.by, self.join.key_column}:
            wrong.append("join: its key is a column that never_read forbids")
        return wrong


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        WrongMapping: with one line for each invalid key.
    """
    try:
        return Mapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise WrongMapping(f"{path} cannot be read as YAML: {error}") from error
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
