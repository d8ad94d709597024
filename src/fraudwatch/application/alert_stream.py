"""Live alerts: one reader of the log, many subscribers, exact resume by position in the log.

A subscriber that does not keep up is cut, never buffered without bound: it resumes at the last
position that it received, and loses nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from fraudwatch.application.console.alerts import Alert

# Alerts that wait for one subscriber; more only delay the moment at which it is cut.
MAX_WAITING: Final = 1_000
_POSITION = re.compile(r"\d{1,4}:\d{1,18}(,\d{1,4}:\d{1,18})*")


class InvalidPosition(ValueError):
    """The text is no position of this log."""


class RetentionExceeded(LookupError):
    """Retention has removed what follows a position."""


class LogUnavailable(RuntimeError):
    """The log cannot be read now."""


@dataclass(frozen=True, slots=True)
class LogPosition:
    """The next offset to read, by partition."""

    offsets: Mapping[int, int]

    @classmethod
    def parse(cls, text: str) -> LogPosition:
        """Parse a position as :meth:`__str__` formats it.

        Raises:
            InvalidPosition: it has another form, or a partition twice.
        """
        if not _POSITION.fullmatch(text):
            raise InvalidPosition("it must look like 0:1234,1:5678")
        pairs = [part.split(":") for part in text.split(",")]
        offsets = {int(partition): int(offset) for partition, offset in pairs}
        if len(offsets) < len(pairs):
            raise InvalidPosition("it names a partition twice")
        return cls(offsets)

    def __str__(self) -> str:
        """Format the position as ``0:1234,1:5678``."""
        return ",".join(f"{number}:{offset}" for number, offset in sorted(self.offsets.items()))

    def after(self, partition: int, offset: int) -> LogPosition:
        """Return the position after one more message."""
        return LogPosition({**self.offsets, partition: offset + 1})

    def messages_until(self, end: LogPosition) -> int:
        """Count the messages from here to another position of the same log.

        Raises:
            InvalidPosition: it has other partitions, or this one is after it.
        """
        if self.offsets.keys() != end.offsets.keys():
            raise InvalidPosition("it is of a log with other partitions")
        counts = [end.offsets[number] - offset for number, offset in self.offsets.items()]
        if min(counts) < 0:
            raise InvalidPosition("it is after the end of the log")
        return sum(counts)


class LogEntry(NamedTuple):
    """Message of the log; None where its verdict is no alert."""

    partition: int
    offset: int
    alert: Alert | None


class LiveAlert(NamedTuple):
    """Alert, and the position to resume at after it."""

    alert: Alert
    position: LogPosition


class AlertHistory(Protocol):
    """Reader of past entries of the log."""

    def require_stored(self, start: LogPosition) -> None:
        """Require that the log still has everything from a position on.

        Raises:
            RetentionExceeded: some of it is gone.
            LogUnavailable: the log does not answer.
        """

    def between(
        self, start: LogPosition, end: LogPosition
    ) -> Generator[Sequence[LogEntry], None, None]:
        """Yield all entries from a position to before another, in order within a partition.

        Raises:
            RetentionExceeded: some of them are gone.
            LogUnavailable: the log does not answer.
        """


@dataclass(slots=True, eq=False)
class Subscription:
    """Alerts that wait for one subscriber, from ``position`` on."""

    position: LogPosition
    is_wanted: Callable[[Alert], bool]
    is_cut: bool = False
    _waiting: asyncio.Queue[LiveAlert] = field(
        default_factory=lambda: asyncio.Queue(MAX_WAITING + 1)
    )

    def offer(self, live: LiveAlert) -> None:
        """Add an alert, or cut the subscriber: too many wait already."""
        if self.is_cut or not self.is_wanted(live.alert):
            return
        self._waiting.put_nowait(live)
        self.is_cut = self._waiting.full()

    async def next_alert(self, timeout_seconds: float) -> LiveAlert | None:
        """Return the next alert; None if none comes in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                return await self._waiting.get()
        return None


class AlertHub:
    """Hands every alert of the log to all subscribers; used on one event loop only."""

    def __init__(self) -> None:
        self._position: LogPosition | None = None
        self._subscriptions: set[Subscription] = set()

    @property
    def position(self) -> LogPosition:
        """Return the position up to which the log has been read.

        Raises:
            LogUnavailable: reading has not begun.
        """
        if self._position is None:
            raise LogUnavailable("live alerts cannot be read from the broker yet")
        return self._position

    @property
    def subscribers(self) -> int:
        """Return the number of subscribers."""
        return len(self._subscriptions)

    def start(self, position: LogPosition) -> None:
        """Begin at a position."""
        self._position = position

    def deliver(self, entries: Sequence[LogEntry]) -> None:
        """Hand over entries, in the order of the log."""
        position = self.position
        for entry in entries:
            position = position.after(entry.partition, entry.offset)
            if entry.alert is not None:
                live = LiveAlert(entry.alert, position)
                for subscription in self._subscriptions:
                    subscription.offer(live)
        self._position = position

    @contextmanager
    def subscribed(self, is_wanted: Callable[[Alert], bool]) -> Iterator[Subscription]:
        """Subscribe to all later alerts that are wanted."""
        subscription = Subscription(self.position, is_wanted)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
