"""Checks of a mapping's ``refunds``; each finding names a key and its error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fraudwatch.adapters.datasets.templates import JOIN_PREFIX, OWN_NAMES

if TYPE_CHECKING:
    from fraudwatch.adapters.datasets.mapping import Mapping

_GIVEN = {
    "source": "is that of its purchase, the one under fields; leave it out",
    "refunded_at_ms": "is the row's own time, that of fields.event_at_ms; leave it out",
}
_NEEDED = {
    "purchase_id": "is required: name the column with the id of the purchase, written as fields.id"
    " writes it",
    "purchased_at_ms": "is required, since a refund is subtracted at the time of its purchase: name"
    " the column that has it, or where the file has only the purchase's id, join the file of the"
    " purchases by it (Refunds in contracts/datasets/README.md)",
}


def wrong_rows(mapping: Mapping) -> Iterator[str]:
    """List the errors of ``refunds.rows``, and of fields that no mapping can give."""
    if mapping.refunds is None:
        return
    given = mapping.refunds.fields
    yield from (f"refunds.fields.{name}: {why}" for name, why in _GIVEN.items() if name in given)
    yield from (f"refunds.fields.{n}: {why}" for n, why in _NEEDED.items() if n not in given)
    for column in mapping.refunds.row_columns:
        if _is_elsewhere(column):
            yield f"refunds.rows.{column}: must be a column of the data file"
    if mapping.refunds.rows != "by_sign":
        return
    if mapping.negative == "absolute":
        yield (
            "refunds.rows: by_sign needs the signs, which negative: absolute drops; write negative:"
            " refuse, or flip where spending is negative"
        )
    amount = mapping.columns_of("amount_minor") if "amount_minor" in mapping.fields else []
    if any(_is_elsewhere(column) for column in amount):
        yield (
            "fields.amount_minor: must be made of the data file's own columns, where refunds.rows"
            " is by_sign"
        )


def _is_elsewhere(column: str) -> bool:
    return column in OWN_NAMES or column.startswith(JOIN_PREFIX)
