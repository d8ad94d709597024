"""Convert decoded JSON objects to purchases by a mapping, for a feed in another system's shape.

Columns are paths, as in a file of JSON lines. A file's row numbers and hashes, and a joined file,
mean nothing in a feed, so a mapping that reads them is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fraudwatch.adapters.datasets.columns import event_times
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping
from fraudwatch.adapters.datasets.purchases import Converted, purchases_of
from fraudwatch.adapters.datasets.templates import OWN_NAMES, ROW_NUMBER
from fraudwatch.adapters.datasets.text_rows import cell_of, value_at


def check_for_objects(mapping: Mapping) -> None:
    """Check that a mapping needs nothing but the objects themselves.

    Raises:
        WrongMapping: it reads a row's number or hash, joins a file or leaves rows out.
    """
    own = [name for name in OWN_NAMES if mapping.reads(name)]
    if own or mapping.join or mapping.leave_out:
        what = f"{{{own[0]}}}" if own else "join or leave_out"
        raise WrongMapping(
            f"{what}: belongs to a file; the objects of a feed have ids of their own"
        )


def purchases_of_objects(objects: Sequence[dict[str, Any]], mapping: Mapping) -> Converted:
    """Convert each object to a purchase's fields; bad rows are by position.

    Numbers that were decoded as floats count by their shortest text. A value that is a list or an
    object itself is no value of a purchase, and absent.

    Raises:
        WrongMapping: the mapping needs more than the objects.
    """
    check_for_objects(mapping)
    columns = {
        name: [_cell(value_at(one, name)) for one in objects] for name in mapping.data_columns
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(mapping.data_columns, pl.String))
    frame = frame.with_columns(event_times(mapping, frame.schema).alias("event_at_ms"))
    return purchases_of(frame.with_row_index(ROW_NUMBER, offset=1), mapping)


def _cell(value: Any) -> str:
    return "" if isinstance(value, dict | list) else cell_of(value)
