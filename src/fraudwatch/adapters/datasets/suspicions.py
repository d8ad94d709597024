"""Values of a whole file that may not mean what they seem to: counted before anything is sent."""

from __future__ import annotations

import re
from typing import NamedTuple

import polars as pl

from fraudwatch.adapters.datasets.columns import Columns, column_text
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.datasets.number_text import SHORTENED, SUSPECT
from fraudwatch.adapters.datasets.templates import JOIN_PREFIX, OWN_NAMES

WORDS_FOR_NOTHING = (
    "NA", "N/A", "n/a", "#N/A", "NULL", "Null", "null", "\\N", "NaN", "nan", "None", "none", "nil",
    "-", "--", "?",
)  # fmt: skip
_IDENTIFIERS = ("id", "purchase_id", "customer_id", "card_number", "device_id", "merchant_id")


class Suspicions(NamedTuple):
    """Warnings to print, and whether 1.234 may be a thousand in this file."""

    warnings: list[str]
    are_amounts_suspect: bool


def suspicions_of(frame: pl.LazyFrame, mapping: Mapping, schema: pl.Schema) -> Suspicions:
    """Count suspect values of the text columns, in one pass over the file."""
    columns = _text_columns(mapping, schema)
    counts = {
        f"{what}:{name}": count
        for name in columns
        for what, count in _counted(name, mapping, schema).items()
    }
    amounts = _amounts(mapping, schema)
    found = (
        frame.select(pl.len(), **counts, **amounts).collect(engine="streaming").row(0, named=True)
    )
    warnings = []
    for name in columns:
        if shortened := found.get(f"shortened:{name}"):
            warnings.append(
                f"Column {name} has {shortened} numbers that a spreadsheet shortened to a form like"
                " 1.23E+15: different ones became one. Export the file again with this column as"
                " text, or map another."
            )
        if count := found[f"words:{name}"]:
            word = found[f"word:{name}"]
            warnings.append(
                f"Column {name} is {word} or the like in {count} of {found['len']} rows. If that"
                f" stands for no value, add to the mapping  absent: {{{name}: ['{word}']}}"
            )
    are_suspect = bool(found.get("suspect")) and (
        bool(found["commas"]) or found["suspect"] == found["points"]
    )
    if found.get("rounded") and not are_suspect:
        warnings.append(
            f"{found['rounded']} amounts have more than two decimals: they are rounded, half to"
            " even, to those of their currency."
        )
    if are_suspect:
        warnings.append(
            f"{found['suspect']} amounts are written like 1.234, which may be a thousand: give"
            " decimal (and grouping) in the mapping. Until then those rows are bad rows."
        )
    return Suspicions(warnings, are_suspect)


def _mappings(mapping: Mapping) -> list[Mapping]:
    """Mappings of all rows: of purchases, and of refunds where there are any."""
    return [mapping, *([mapping.of_refunds] if mapping.of_refunds else [])]


def _text_columns(mapping: Mapping, schema: pl.Schema) -> list[str]:
    found = dict.fromkeys(
        column
        for one in _mappings(mapping)
        for field in one.fields
        if field not in one.message.numeric
        for column in one.columns_of(field)
        if column not in OWN_NAMES and not column.startswith(JOIN_PREFIX)
    )
    return [name for name in found if schema[name] == pl.String]


def _counted(name: str, mapping: Mapping, schema: pl.Schema) -> dict[str, pl.Expr]:
    fields = [
        field for one in _mappings(mapping) for field in one.fields if name in one.columns_of(field)
    ]
    # NA is Namibia, so in a column of countries it is a value.
    words = [
        word
        for word in WORDS_FOR_NOTHING
        if word not in mapping.absent.get(name, [])
        and not any(word in mapping.absent.get(field, []) for field in fields)
        and not any(
            word in one.values.get(field, {}) for one in _mappings(mapping) for field in fields
        )
        and not (word == "NA" and any(field.endswith("_country") for field in fields))
    ]
    text = column_text(name, schema[name])
    is_word = text.is_in(words)
    counted = {"words": is_word.sum(), "word": text.filter(is_word).first()}
    if set(fields) & set(_IDENTIFIERS):
        counted["shortened"] = text.str.contains(SHORTENED).sum()
    return counted


def _amounts(mapping: Mapping, schema: pl.Schema) -> dict[str, pl.Expr]:
    columns = mapping.columns_of("amount_minor")
    if mapping.amount == "minor" or any(schema.get(name) != pl.String for name in columns):
        return {}
    text = Columns(mapping, schema).field("amount_minor")
    rounded = rf"{re.escape(mapping.numbers.decimal)}[0-9]{{2,}}[1-9]\D*$"
    counted = {"rounded": text.str.contains(rounded).sum()}
    if mapping.decimal is not None or mapping.grouping is not None:
        return counted
    return counted | {
        "commas": text.str.contains(",", literal=True).sum(),
        "points": text.str.contains(".", literal=True).sum(),
        "suspect": text.str.contains(SUSPECT).sum(),
    }
