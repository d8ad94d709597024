"""Format DLQ records for a terminal: rows, a table, replay results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fraudwatch.application.dead_letters.dlq import DlqRecord, Replayed, ReplayResult, ReplayState


def as_row(record: DlqRecord, replayed: Replayed) -> dict[str, Any]:
    """Describe a record without its payload."""
    return {
        "id": record.id,
        "code": record.code,
        "stage": record.stage,
        "at": datetime.fromtimestamp(record.at_ms / 1000, UTC).isoformat(timespec="seconds"),
        "bytes": record.payload_bytes,
        "is_cut": record.is_cut,
        "is_replayed": record in replayed,
        "reason": record.reason,
    }


def as_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Format rows as lines that are never wrapped, so that an id can be copied whole."""
    if not rows:
        return []
    cells = [
        [r["id"], r["code"], r["stage"], r["at"], str(r["bytes"]), _mark(r), printable(r["reason"])]
        for r in rows
    ]
    table = [["id", "code", "stage", "when", "bytes", "replayed", "reason"], *cells]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]) - 1)]
    return [
        "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]])
        for row in table
    ]


def _mark(row: Mapping[str, Any]) -> str:
    return "yes" if row["is_replayed"] else "no"


def result_line(result: ReplayResult) -> str:
    """Format the replay result of one record."""
    state = result.state.replace("_", " ")
    way = result.detail if result.state is ReplayState.NOT_REPLAYABLE else f"by {result.detail}"
    return printable(f"{state:<11}  {result.record.id}  {way}")


def printable(text: str) -> str:
    """Replace control characters, which could send commands to the terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
