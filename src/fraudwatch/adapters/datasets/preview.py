"""Preview of a replay: what the first rows become, field by field, without a personal value.

Of values only those are shown that a purchase may have in any file: states, currencies, countries,
and ranges of amounts, times and positions. Of all others it shows how many there are, and how long.
"""

from __future__ import annotations

import collections.abc
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.datasets.purchases import what_of
from fraudwatch.application.replay.ports import BadRow

_OPEN_FIELDS = (
    "source", "currency", "payment_status", "channel", "applied_default", "reason",
)  # fmt: skip
_SHOWN_VALUES = 6
_SHAPES = (
    ("digits", r"^[0-9]+$"),
    ("hexadecimal digits", r"^[0-9a-fA-F]+$"),
    ("letters and digits", r"^[A-Za-z0-9]+$"),
)


@dataclass(frozen=True, slots=True)
class FieldPreview:
    """One field: its template's columns, how many rows have it, and a description of its values."""

    field: str
    made_of: str
    valid: int
    absent: int
    invalid: int
    becomes: str


@dataclass(frozen=True, slots=True)
class Preview:
    """First rows in event order, as purchases and refunds."""

    rows: int
    fields: list[FieldPreview]
    refund_rows: int = 0
    refund_fields: list[FieldPreview] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)


def preview_of(dataset: DatasetFile, mapping: Mapping, rows: int) -> Preview:
    """Convert the first rows, and describe each field.

    Raises:
        UnreadableFile: the rows cannot be read.
        WrongMapping: a column has an unsuitable type.
    """
    first = next(dataset.mixed_slices(0, rows), None) if dataset.count else None
    if first is None:
        return Preview(0, [], bad_rows=dataset.rows_without_time[:rows])
    bad = [*first.bought.bad.values()]
    purchases = first.bought.purchases
    fields = _field_previews(purchases, first.bought.bad, mapping, dataset.made_absent)
    refund_fields: list[FieldPreview] = []
    if first.refunded and mapping.of_refunds:
        refunds, bad_refunds = first.refunded.refunds, first.refunded.bad
        refund_fields = _field_previews(refunds, bad_refunds, mapping.of_refunds, {})
        bad += bad_refunds.values()
    return Preview(
        rows=len(first.is_refund),
        fields=fields if len(purchases) else [],
        refund_rows=sum(first.is_refund),
        refund_fields=refund_fields,
        bad_rows=[*dataset.rows_without_time, *sorted(bad, key=lambda one: one.row)],
    )


def _field_previews(
    messages: pl.DataFrame,
    bad: dict[int, BadRow],
    mapping: Mapping,
    made_absent: collections.abc.Mapping[str, int],
) -> list[FieldPreview]:
    invalid = {
        name: {p for p, b in bad.items() if b.what == what_of(mapping, name)}
        for name in mapping.fields
    }
    return [
        _field_preview(name, messages, invalid[name], mapping, made_absent.get(name, 0))
        for name in mapping.fields
    ]


def _field_preview(
    name: str, messages: pl.DataFrame, invalid: set[int], mapping: Mapping, made_absent: int
) -> FieldPreview:
    is_valid = pl.Series([position not in invalid for position in range(len(messages))])
    rows = messages.filter(is_valid & messages[name].is_not_null())
    columns = mapping.columns_of(name)
    becomes = ", ".join(_described(name, rows, mapping)) if len(rows) else "-"
    if made_absent:
        becomes += f"; {made_absent} invalid, and so absent"
    return FieldPreview(
        field=name,
        made_of=", ".join(dict.fromkeys(columns)) or "a constant",
        valid=len(rows),
        absent=len(messages) - len(rows) - len(invalid),
        invalid=len(invalid),
        becomes=becomes,
    )


def _described(name: str, rows: pl.DataFrame, mapping: Mapping) -> Iterator[str]:
    values = rows[name]
    if name in mapping.message.times:
        first, last = _ends(values)
        yield f"{_instant(int(first))} to {_instant(int(last))}"
    elif name == "amount_minor":
        for currency, least, most in (
            rows.group_by("currency", maintain_order=True)
            .agg(pl.col(name).min().alias("least"), pl.col(name).max().alias("most"))
            .iter_rows()
        ):
            yield f"{least} to {most} minor units of {currency}"
    elif name in mapping.message.numeric:
        first, last = _ends(values)
        yield f"{first} to {last}"
    elif name in _OPEN_FIELDS or name.endswith("_country"):
        counts = values.value_counts(sort=True)
        yield from (f"{value} {n}x" for value, n in counts.head(_SHOWN_VALUES).iter_rows())
        if len(counts) > _SHOWN_VALUES:
            yield f"and {len(counts) - _SHOWN_VALUES} more"
    else:
        yield _shape(values)


def _ends(values: pl.Series) -> tuple[float, float]:
    in_order = values.sort()
    return in_order[0], in_order[-1]


def _shape(values: pl.Series) -> str:
    shortest, longest = _ends(values.str.len_chars())
    length = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
    kind = next((name for name, pattern in _SHAPES if values.str.contains(pattern).all()), "text")
    return f"{values.n_unique()} different, {kind}, {length} characters"


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
