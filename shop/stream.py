"""What every stream of the shop has in common: cursors, pages, and waiting for the next entry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from shop.plan import MINUTE_MS

# A reader's cursor may be a little ahead when the clock of this machine was set back.
CLOCK_SLACK_MINUTES = 5
_CURSOR = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")


class CursorRefused(ValueError):
    """The cursor is none that this world handed out."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place before one entry: its minute, and how many of that minute precede it."""

    minute: int
    index: int

    def __str__(self) -> str:
        return f"{self.minute}:{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A stretch of a stream; ``name`` is what its entries are called."""

    name: bytes
    messages: list[bytes]
    next_cursor: Cursor
    sequence: int
    head_sequence: int

    def to_json(self) -> bytes:
        """The page as it is answered, put together from messages that are encoded already."""
        return b'{"%b":[%b],"next_cursor":"%b","sequence":%d,"head_sequence":%d}' % (
            self.name,
            b",".join(self.messages),
            str(self.next_cursor).encode(),
            self.sequence,
            self.head_sequence,
        )


class Stream(Protocol):
    """Entries in the order of their time, readable from any cursor."""

    def cursor(self, written: str, *, now_ms: int) -> Cursor:
        """The cursor that a reader handed back; empty means the beginning.

        Raises:
            CursorRefused: when this world cannot have handed it out.
        """

    def page(self, cursor: Cursor, *, limit: int, now_ms: int) -> Page:
        """Up to ``limit`` entries from the cursor on, none later than now."""

    def next_event_ms(self, cursor: Cursor, *, until_ms: int) -> int:
        """When the entry after the cursor happens, or ``until_ms`` if none does before."""


def read_cursor(written: str, *, epoch_minute: int, now_ms: int) -> Cursor:
    """The cursor as it was written, if its minute is one that this world had by now.

    Raises:
        CursorRefused: when it is no cursor, or one of another world.
    """
    if not written:
        return Cursor(epoch_minute, 0)
    if not (match := _CURSOR.fullmatch(written)):
        raise CursorRefused("this is no cursor; hand back next_cursor as it was, or nothing")
    cursor = Cursor(int(match[1]), int(match[2]))
    if not epoch_minute <= cursor.minute <= now_ms // MINUTE_MS + CLOCK_SLACK_MINUTES:
        raise of_another_world()
    return cursor


def of_another_world() -> CursorRefused:
    """What to say of a cursor that points where nothing is."""
    return CursorRefused(
        "this cursor is of another world, so what follows it is unknown; "
        "start again without a cursor"
    )
