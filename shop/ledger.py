"""The chargebacks that are known by now, in the order in which they became known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from heapq import heappop, heappush
from operator import attrgetter
from threading import Lock

from shop.chargebacks import Chargeback, chargebacks_of
from shop.plan import MINUTE_MS
from shop.stream import CLOCK_SLACK_MINUTES, Cursor, Page, of_another_world, read_cursor
from shop.world import World

_known_at_ms = attrgetter("known_at_ms")


class Ledger:
    """Reads the chargebacks of a world from any place; thread-safe.

    What it keeps is made again after a restart: minutes are told in order, and a chargeback is
    never known before its purchase, so the order is final up to the minute that was told last.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._next_minute = world.plan.epoch_minute
        self._pending: list[Chargeback] = []
        self._known: list[Chargeback] = []
        self._telling = Lock()

    def cursor(self, written: str, *, now_ms: int) -> Cursor:
        """See :class:`~shop.stream.Stream`."""
        epoch_minute = self._world.plan.epoch_minute
        cursor = read_cursor(written, epoch_minute=epoch_minute, now_ms=now_ms)
        self._tell_until(now_ms)
        if self._place(cursor) > self._place(Cursor(cursor.minute + 1, 0)):
            raise of_another_world()
        return cursor

    def page(self, cursor: Cursor, *, limit: int, now_ms: int) -> Page:
        """See :class:`~shop.stream.Stream`."""
        self._tell_until(now_ms)
        first = self._place(cursor)
        head = bisect_right(self._known, now_ms, key=_known_at_ms)
        found = self._known[first : min(first + limit, head)]
        return Page(
            name=b"chargebacks",
            messages=[chargeback.to_json() for chargeback in found],
            next_cursor=self._behind(found[-1], first + len(found)) if found else cursor,
            sequence=first + len(found),
            head_sequence=head,
        )

    def next_event_ms(self, cursor: Cursor, *, until_ms: int) -> int:
        """See :class:`~shop.stream.Stream`."""
        self._tell_until(until_ms)
        place = self._place(cursor)
        if place < len(self._known):
            return min(self._known[place].known_at_ms, until_ms)
        return until_ms

    def _place(self, cursor: Cursor) -> int:
        """How many chargebacks precede the cursor, counted from the beginning of the world."""
        return bisect_left(self._known, cursor.minute * MINUTE_MS, key=_known_at_ms) + cursor.index

    def _behind(self, last: Chargeback, place: int) -> Cursor:
        minute = last.known_at_ms // MINUTE_MS
        return Cursor(minute, place - self._place(Cursor(minute, 0)))

    def _tell_until(self, now_ms: int) -> None:
        """Tell a little ahead too: cursors from before a clock was set back must find their place.

        That is never served: pages end at now.
        """
        horizon_ms = now_ms + CLOCK_SLACK_MINUTES * MINUTE_MS
        with self._telling:
            for minute in range(self._next_minute, horizon_ms // MINUTE_MS + 1):
                for chargeback in chargebacks_of(self._world, minute):
                    heappush(self._pending, chargeback)
                self._next_minute = minute + 1
            while self._pending and self._pending[0].known_at_ms <= horizon_ms:
                self._known.append(heappop(self._pending))
