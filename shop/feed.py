"""Live feed: the purchases after any cursor, up to now."""

from __future__ import annotations

from shop.minute_cache import MinuteCache
from shop.plan import MINUTE_MS
from shop.stream import Cursor, Page, cursor_mismatch, read_cursor


class Feed:
    """Read the purchases of a world from any cursor; keeps no state of its readers."""

    def __init__(self, minutes: MinuteCache) -> None:
        self._minutes = minutes

    def cursor(self, text: str, *, now_ms: int) -> Cursor:
        """See :class:`~shop.stream.Stream`."""
        cursor = read_cursor(text, epoch_minute=self._minutes.plan.epoch_minute, now_ms=now_ms)
        if cursor.index > len(self._minutes.minute(cursor.minute).messages):
            raise cursor_mismatch()
        return cursor

    def page(self, cursor: Cursor, *, limit: int, now_ms: int) -> Page:
        """See :class:`~shop.stream.Stream`."""
        messages: list[bytes] = []
        minute, index, current_minute = cursor.minute, cursor.index, now_ms // MINUTE_MS
        while len(messages) < limit and minute <= current_minute:
            encoded = self._minutes.minute(minute)
            until = min(encoded.count_until(now_ms), index + limit - len(messages))
            messages += encoded.messages[index:until]
            index = max(index, until)
            if index < len(encoded.messages) or minute == current_minute:
                break
            minute, index = minute + 1, 0
        return Page(
            name=b"events",
            messages=messages,
            next_cursor=Cursor(minute, index),
            sequence=self._minutes.count_before(minute) + index,
            head_sequence=self._minutes.count_until(now_ms),
        )

    def next_event_ms(self, cursor: Cursor, *, until_ms: int) -> int:
        """See :class:`~shop.stream.Stream`."""
        for minute in range(cursor.minute, until_ms // MINUTE_MS + 1):
            times_ms = self._minutes.minute(minute).times_ms
            index = cursor.index if minute == cursor.minute else 0
            if index < len(times_ms):
                return min(times_ms[index], until_ms)
        return until_ms
