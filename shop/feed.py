"""The live feed: from any cursor, everything that follows and has happened by now."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shop.plan import MINUTE_MS
from shop.told import Told

# A reader's cursor may be a little ahead when the clock of this machine was set back.
CLOCK_SLACK_MINUTES = 5
_CURSOR = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")


class CursorRefused(ValueError):
    """The cursor is none that this world handed out."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place before one purchase: its minute, and how many of that minute precede it."""

    minute: int
    index: int

    def __str__(self) -> str:
        return f"{self.minute}:{self.index}"


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the feed."""

    messages: list[bytes]
    next_cursor: Cursor
    sequence: int
    head_sequence: int

    def to_json(self) -> bytes:
        """The page as it is answered, put together from messages that are encoded already."""
        return b'{"events":[%b],"next_cursor":"%b","sequence":%d,"head_sequence":%d}' % (
            b",".join(self.messages),
            str(self.next_cursor).encode(),
            self.sequence,
            self.head_sequence,
        )


class Feed:
    """Reads a told world from any place; holds nothing of its readers."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def cursor(self, written: str, *, now_ms: int) -> Cursor:
        """The cursor that a reader handed back; empty means the beginning of history.

        Raises:
            CursorRefused: when this world cannot have handed it out.
        """
        epoch_minute = self._told.plan.epoch_minute
        if not written:
            return Cursor(epoch_minute, 0)
        if not (match := _CURSOR.fullmatch(written)):
            raise CursorRefused("this is no cursor; hand back next_cursor as it was, or nothing")
        cursor = Cursor(int(match[1]), int(match[2]))
        latest_minute = now_ms // MINUTE_MS + CLOCK_SLACK_MINUTES
        if not epoch_minute <= cursor.minute <= latest_minute or cursor.index > len(
            self._told.minute(cursor.minute).messages
        ):
            raise CursorRefused(
                "this cursor is of another world, so what follows it is unknown; "
                "start again without a cursor"
            )
        return cursor

    def page(self, cursor: Cursor, *, limit: int, now_ms: int) -> Page:
        """Up to ``limit`` purchases from the cursor on, none later than now."""
        messages: list[bytes] = []
        minute, index, current_minute = cursor.minute, cursor.index, now_ms // MINUTE_MS
        while len(messages) < limit and minute <= current_minute:
            told = self._told.minute(minute)
            until = min(told.known_at(now_ms), index + limit - len(messages))
            messages += told.messages[index:until]
            index = max(index, until)
            if index < len(told.messages) or minute == current_minute:
                break
            minute, index = minute + 1, 0
        return Page(
            messages=messages,
            next_cursor=Cursor(minute, index),
            sequence=self._told.before(minute) + index,
            head_sequence=self._told.known_at(now_ms),
        )

    def next_event_ms(self, cursor: Cursor, *, until_ms: int) -> int:
        """When the purchase after the cursor happens, or ``until_ms`` if none does before."""
        for minute in range(cursor.minute, until_ms // MINUTE_MS + 1):
            times_ms = self._told.minute(minute).times_ms
            index = cursor.index if minute == cursor.minute else 0
            if index < len(times_ms):
                return min(times_ms[index], until_ms)
        return until_ms
