"""How dead letters look in a terminal: a row, a table, what became of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fraudwatch.application.dead_letters.dlq import DlqRecord, Replayed, ReplayResult, ReplayState


def described(letter: DlqRecord, replayed: Replayed) -> dict[str, Any]:
    """What is told of a letter, without its payload."""
    return {
        "id": letter.id,
        "code": letter.code,
        "stage": letter.stage,
        "at": datetime.fromtimestamp(letter.at_ms / 1000, UTC).isoformat(timespec="seconds"),
        "bytes": letter.payload_bytes,
        "is_cut": letter.is_cut,
        "is_replayed": letter in replayed,
        "reason": letter.reason,
    }


def as_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines that are never wrapped: an id is copied whole."""
    if not rows:
        return []
    cells = [
        [r["id"], r["code"], r["stage"], r["at"], str(r["bytes"]), _mark(r), harmless(r["reason"])]
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


def line_of(result: ReplayResult) -> str:
    """What became of one letter."""
    state = result.state.replace("_", " ")
    way = result.detail if result.state is ReplayState.NOT_REPLAYABLE else f"by {result.detail}"
    return harmless(f"{state:<11}  {result.record.id}  {way}")


def harmless(text: str) -> str:
    """The text without what could command a terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
