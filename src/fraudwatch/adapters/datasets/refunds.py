"""Recognise the refund rows of a data file, and convert them to refunds."""

from __future__ import annotations

import polars as pl

from fraudwatch.adapters.datasets.columns import Columns, matches
from fraudwatch.adapters.datasets.mapping import Mapping, RefundMapping
from fraudwatch.adapters.datasets.purchases import Converted, messages_of, what_of
from fraudwatch.adapters.datasets.templates import ROW_NUMBER
from fraudwatch.application.replay.ports import BadRow


def are_refunds(mapping: Mapping, columns: Columns) -> pl.Expr:
    """Build the check whether a row is a refund, by its columns or by the sign of its amount."""
    no = pl.lit(value=False)
    if mapping.refunds is None:
        return no
    if mapping.refunds.rows == "all":
        return pl.lit(value=True)
    if mapping.refunds.rows == "by_sign":
        return _has_other_sign(mapping, columns)
    found = [
        matches(columns.text(f"{{{name}}}"), pattern).fill_null(value=False)
        for name, patterns in mapping.refunds.rows.items()
        for pattern in patterns
    ]
    return pl.any_horizontal(no, *found)


def _has_other_sign(mapping: Mapping, columns: Columns) -> pl.Expr:
    """Build the check for the sign that spending does not have; zero is spending."""
    number = columns.plain(columns.field("amount_minor")).cast(pl.Float64, strict=False)
    is_refund = number > 0 if mapping.negative == "flip" else number < 0
    return is_refund.fill_null(value=False)


def refunds_of(
    frame: pl.DataFrame,
    mapping: RefundMapping,
    are_amounts_suspect: bool = False,  # noqa: FBT001, FBT002  as of purchases
) -> Converted:
    """Convert rows to refunds; one that is before its purchase is a bad row."""
    found = messages_of(frame, mapping, are_amounts_suspect)
    is_early = found.messages["refunded_at_ms"] < found.messages["purchased_at_ms"]
    early = {
        position: BadRow(
            frame[ROW_NUMBER][position],
            what_of(mapping, "refunded_at_ms"),
            "is before the purchase",
        )
        for position in is_early.arg_true()
    }
    return found._replace(bad=early | found.bad)
