"""The live feed: from any cursor, everything that follows and has happened by now."""

from __future__ import annotations

from shop.minute_cache import Told
from shop.plan import MINUTE_MS
from shop.stream import Cursor, Page, of_another_world, read_cursor


class Feed:
    """Reads a told world from any place; holds nothing of its readers."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def cursor(self, written: str, *, now_ms: int) -> Cursor:
        """See :class:`~shop.stream.Stream`."""
        cursor = read_cursor(written, epoch_minute=self._told.plan.epoch_minute, now_ms=now_ms)
        if cursor.index > len(self._told.minute(cursor.minute).messages):
            raise of_another_world()
        return cursor

    def page(self, cursor: Cursor, *, limit: int, now_ms: int) -> Page:
        """See :class:`~shop.stream.Stream`."""
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
            name=b"events",
            messages=messages,
            next_cursor=Cursor(minute, index),
            sequence=self._told.before(minute) + index,
            head_sequence=self._told.known_at(now_ms),
        )

    def next_event_ms(self, cursor: Cursor, *, until_ms: int) -> int:
        """See :class:`~shop.stream.Stream`."""
        for minute in range(cursor.minute, until_ms // MINUTE_MS + 1):
            times_ms = self._told.minute(minute).times_ms
            index = cursor.index if minute == cursor.minute else 0
            if index < len(times_ms):
                return min(times_ms[index], until_ms)
        return until_ms
