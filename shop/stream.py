"""Define streams: cursors, pages, and the time of the next entry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from shop.plan import MINUTE_MS

# A reader's cursor may be a little ahead after the clock of this machine was set back.
CLOCK_SLACK_MINUTES = 5
_CURSOR = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")


class CursorRefused(ValueError):
    """The cursor was not issued by this world."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position before one entry: its minute, and the number of the entry in that minute."""

    minute: int
    index: int

    def __str__(self) -> str:
        return f"{self.minute}:{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a stream; ``name`` is the JSON field of its entries."""

    name: bytes
    messages: list[bytes]
    next_cursor: Cursor
    sequence: int
    head_sequence: int

    def to_json(self) -> bytes:
        """Encode the page from messages that are encoded already."""
        return b'{"%b":[%b],"next_cursor":"%b","sequence":%d,"head_sequence":%d}' % (
            self.name,
            b",".join(self.messages),
            str(self.next_cursor).encode(),
            self.sequence,
            self.head_sequence,
        )


class Stream(Protocol):
    """A stream of entries in the order of their time, readable from any cursor."""

    def cursor(self, text: str, *, now_ms: int) -> Cursor:
        """Parse a reader's cursor; empty means the beginning.

        Raises:
            CursorRefused: this world cannot have issued it.
        """

    def page(self, cursor: Cursor, *, limit: int, now_ms: int) -> Page:
        """Read up to ``limit`` entries from the cursor on, none later than now."""

    def next_event_ms(self, cursor: Cursor, *, until_ms: int) -> int:
        """Return the time of the entry after the cursor, at most ``until_ms``."""


def read_cursor(text: str, *, epoch_minute: int, now_ms: int) -> Cursor:
    """Parse a cursor and check that its minute exists in this world by now.

    Raises:
        CursorRefused: it is not a cursor, or is of another world.
    """
    if not text:
        return Cursor(epoch_minute, 0)
    if not (match := _CURSOR.fullmatch(text)):
        raise CursorRefused("this is not a cursor; pass next_cursor unchanged, or leave it out")
    cursor = Cursor(int(match[1]), int(match[2]))
    if not epoch_minute <= cursor.minute <= now_ms // MINUTE_MS + CLOCK_SLACK_MINUTES:
        raise cursor_mismatch()
    return cursor


def cursor_mismatch() -> CursorRefused:
    """Create the error for a cursor that does not exist in this world."""
    return CursorRefused(
        "this cursor is of another world, so the entries after it are unknown; "
        "start again without a cursor"
    )
