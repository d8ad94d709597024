"""Preview of a replay: what the first rows become, field by field, without a personal value.

Of values only those are shown that a purchase may have in any file: states, currencies, countries,
and ranges of amounts, times and positions. Of all others it shows how many there are, and how long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.datasets.purchase_fields import COLUMNS
from fraudwatch.application.replay.ports import BadRow

_OPEN_FIELDS = ("source", "currency", "payment_status", "channel", "applied_default")
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
    """First rows in event order, as purchases."""

    rows: int
    fields: list[FieldPreview]
    bad_rows: list[BadRow] = field(default_factory=list)


def preview_of(dataset: DatasetFile, mapping: Mapping, rows: int) -> Preview:
    """Convert the first rows, and describe each field.

    Raises:
        UnreadableFile: the rows cannot be read.
        WrongMapping: a column has an unsuitable type.
    """
    first = next(dataset.slices(0, rows), None) if dataset.count else None
    if first is None:
        return Preview(0, [], dataset.rows_without_time[:rows])
    purchases = first.purchases
    invalid = {
        name: {p for p, b in first.bad.items() if _is_of(b, name)} for name in mapping.fields
    }
    fields = [
        _field_preview(name, purchases, invalid[name], mapping, dataset.made_absent[name])
        for name in mapping.fields
    ]
    bad = sorted(first.bad.values(), key=lambda one: one.row)
    return Preview(len(purchases), fields, [*dataset.rows_without_time, *bad])


def _is_of(bad: BadRow, name: str) -> bool:
    return bad.what.split(" ", 1)[0] == name


def _field_preview(
    name: str, purchases: pl.DataFrame, invalid: set[int], mapping: Mapping, made_absent: int
) -> FieldPreview:
    is_valid = pl.Series([position not in invalid for position in range(len(purchases))])
    rows = purchases.filter(is_valid & purchases[name].is_not_null())
    columns = mapping.columns_of(name)
    becomes = ", ".join(_described(name, rows)) if len(rows) else "-"
    if made_absent:
        becomes += f"; {made_absent} invalid, and so absent"
    return FieldPreview(
        field=name,
        made_of=", ".join(dict.fromkeys(columns)) or "a constant",
        valid=len(rows),
        absent=len(purchases) - len(rows) - len(invalid),
        invalid=len(invalid),
        becomes=becomes,
    )


def _described(name: str, rows: pl.DataFrame) -> Iterator[str]:
    values = rows[name]
    if name == "event_at_ms":
        first, last = _ends(values)
        yield f"{_instant(int(first))} to {_instant(int(last))}"
    elif name == "amount_minor":
        for currency, least, most in (
            rows.group_by("currency", maintain_order=True)
            .agg(pl.col(name).min().alias("least"), pl.col(name).max().alias("most"))
            .iter_rows()
        ):
            yield f"{least} to {most} minor units of {currency}"
    elif COLUMNS[name].type in (int, float):
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
