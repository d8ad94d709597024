"""Convert JSON records to purchases by a mapping, with the code that replays their file.

A record's purchase follows from the record alone, whatever page or file it comes with: mappings
that need more than one record (row numbers, hashes of a file, a join) are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl

from fraudwatch.adapters.datasets.columns import Columns, instants
from fraudwatch.adapters.datasets.json_path import value_at
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping
from fraudwatch.adapters.datasets.purchases import messages_of
from fraudwatch.adapters.datasets.row_selection import is_left_out, without_time
from fraudwatch.adapters.datasets.templates import OWN_NAMES, ROW_NUMBER, placeholders
from fraudwatch.adapters.datasets.text_rows import cell_of
from fraudwatch.application.replay.ports import BadRow
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem

_LEFT_OUT: Final = "#left_out"
_NOT_JSON: Final = Refused(Code.NOT_JSON, [Problem("record", "is no JSON")])
_NO_OBJECT: Final = Refused(Code.WRONG_SCHEMA, [Problem("record", "is no JSON object")])
LEFT_OUT: Final = Refused(Code.WRONG_SCHEMA, [Problem("record", "is left out by its mapping")])
"""Of a record that is no purchase by ``only`` or ``leave_out``; a feed does not dead-letter it."""


class RecordMapper:
    """Converts records of one mapping to purchases, encoded as a client would send them."""

    def __init__(self, mapping: Mapping) -> None:
        """Check that the mapping can be applied to single records.

        Raises:
            WrongMapping: it cannot, with one line for each reason.
        """
        self._mapping = mapping
        self._columns = mapping.data_columns
        if found := list(_faults(mapping)):
            raise WrongMapping("\n  ".join(["cannot be used for a feed:", *found]))
        self._schema = pl.Schema(dict.fromkeys(self._columns, pl.String))
        # A format of times that is none is found here, not with the first record.
        self._event_times = instants(mapping, self._schema)
        self._is_left_out = is_left_out(mapping, Columns(mapping, self._schema))

    def mapped(self, payloads: Sequence[bytes]) -> list[bytes | Refused]:
        """Return for each record its purchase, or why it is none; ``LEFT_OUT`` is meant so."""
        results: list[bytes | Refused] = [_NOT_JSON] * len(payloads)
        rows, positions = [], []
        for position, payload in enumerate(payloads):
            try:
                rows.append(self._cells(payload))
                positions.append(position)
            except Refused as why:
                results[position] = why
        for row, one in self._purchases(rows):
            results[positions[row]] = one
        return results

    def _cells(self, payload: bytes) -> list[str]:
        try:
            # As a file's records: numbers stay text, so that no amount becomes a binary float.
            record = json.loads(payload, parse_float=str, parse_int=str)
        except (ValueError, RecursionError):
            raise _NOT_JSON from None
        if not isinstance(record, dict):
            raise _NO_OBJECT
        return [_cell(record, name) for name in self._columns]

    def _purchases(self, rows: list[list[str]]) -> Iterator[tuple[int, bytes | Refused]]:
        """Yield each row's number with its purchase or refusal."""
        frame = pl.DataFrame(rows, schema=self._schema, orient="row").with_row_index(ROW_NUMBER)
        frame = frame.with_columns(
            self._event_times.alias("event_at_ms"), self._is_left_out.alias(_LEFT_OUT)
        )
        for row in frame.filter(_LEFT_OUT)[ROW_NUMBER]:
            yield row, LEFT_OUT
        kept = frame.filter(~pl.col(_LEFT_OUT)).drop(_LEFT_OUT)
        for row in kept.filter(pl.col("event_at_ms").is_null())[ROW_NUMBER]:
            yield row, _refused(without_time(self._mapping, row))
        timed = kept.drop_nulls("event_at_ms")
        purchases, bad, _ = messages_of(timed, self._mapping)
        lines = purchases.write_ndjson().encode().splitlines()
        for position, row in enumerate(timed[ROW_NUMBER]):
            yield row, _refused(bad[position]) if position in bad else lines[position]


def _cell(record: dict[str, Any], name: str) -> str:
    value = value_at(record, name)
    if isinstance(value, dict | list):
        raise Refused(Code.WRONG_SCHEMA, [Problem(f"column {name}", "is no single value")])
    # Half of a surrogate pair is valid JSON and no valid text.
    return cell_of(value).encode("utf-8", "replace").decode()


def _refused(bad: BadRow) -> Refused:
    return Refused(Code.WRONG_SCHEMA, [Problem(bad.what, bad.reason)])


def _faults(mapping: Mapping) -> Iterator[str]:
    for field, template in mapping.fields.items():
        for name in sorted(set(placeholders(template)) & set(OWN_NAMES)):
            yield (
                f"fields.{field}: {name} is of a file; name what is in the record, such as {{$.id}}"
            )
    if mapping.join is not None:
        yield "join: a feed has no second file; name columns of the record alone"
    if mapping.refunds is not None:
        yield "refunds: a feed in another shape brings purchases alone; leave its refunds out"
    if mapping.amount == "major" and mapping.decimal is None:
        yield 'decimal: is required, because 1.234 may be a thousand; "." where it is not'
    if mapping.format not in {None, "json", "json_lines"}:
        yield "format: must be json or json_lines, or left out"
