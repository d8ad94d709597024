"""Chargeback stream: the chargebacks known by now, in the order in which they became known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from heapq import heappop, heappush
from operator import attrgetter
from threading import Lock

from shop.chargebacks import IssuedChargeback, chargebacks_of
from shop.plan import MINUTE_MS
from shop.stream import CLOCK_SLACK_MINUTES, Cursor, Page, cursor_mismatch, read_cursor
from shop.world import World

_known_at_ms = attrgetter("known_at_ms")


class ChargebackStream:
    """Read the chargebacks of a world from any cursor; thread-safe.

    Its list is computed again after a restart: minutes are processed in order, and a chargeback is
    never known before its purchase, so the order is final up to the last processed minute.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._next_minute = world.plan.epoch_minute
        self._pending: list[IssuedChargeback] = []
        self._known: list[IssuedChargeback] = []
        self._lock = Lock()

    def cursor(self, text: str, *, now_ms: int) -> Cursor:
        """See :class:`~shop.stream.Stream`."""
        epoch_minute = self._world.plan.epoch_minute
        cursor = read_cursor(text, epoch_minute=epoch_minute, now_ms=now_ms)
        self._extend_until(now_ms)
        if self._position(cursor) > self._position(Cursor(cursor.minute + 1, 0)):
            raise cursor_mismatch()
        return cursor

    def page(self, cursor: Cursor, *, limit: int, now_ms: int) -> Page:
        """See :class:`~shop.stream.Stream`."""
        self._extend_until(now_ms)
        first = self._position(cursor)
        head = bisect_right(self._known, now_ms, key=_known_at_ms)
        chargebacks = self._known[first : min(first + limit, head)]
        return Page(
            name=b"chargebacks",
            messages=[chargeback.to_json() for chargeback in chargebacks],
            next_cursor=self._cursor_after(chargebacks[-1], first + len(chargebacks))
            if chargebacks
            else cursor,
            sequence=first + len(chargebacks),
            head_sequence=head,
        )

    def next_event_ms(self, cursor: Cursor, *, until_ms: int) -> int:
        """See :class:`~shop.stream.Stream`."""
        self._extend_until(until_ms)
        position = self._position(cursor)
        if position < len(self._known):
            return min(self._known[position].known_at_ms, until_ms)
        return until_ms

    def _position(self, cursor: Cursor) -> int:
        """Count the chargebacks before the cursor since the beginning of the world."""
        return bisect_left(self._known, cursor.minute * MINUTE_MS, key=_known_at_ms) + cursor.index

    def _cursor_after(self, last: IssuedChargeback, position: int) -> Cursor:
        minute = last.known_at_ms // MINUTE_MS
        return Cursor(minute, position - self._position(Cursor(minute, 0)))

    def _extend_until(self, now_ms: int) -> None:
        """Compute a little ahead of now, so that cursors stay valid when the clock is set back.

        Chargebacks of the future are never served: pages end at now.
        """
        horizon_ms = now_ms + CLOCK_SLACK_MINUTES * MINUTE_MS
        with self._lock:
            for minute in range(self._next_minute, horizon_ms // MINUTE_MS + 1):
                for chargeback in chargebacks_of(self._world, minute):
                    heappush(self._pending, chargeback)
                self._next_minute = minute + 1
            while self._pending and self._pending[0].known_at_ms <= horizon_ms:
                self._known.append(heappop(self._pending))
