"""Wait until a stack is drained: everything is scored, committed and stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import StackError

DETECTOR = "detector"
GROUPS = ("persister", "tally")
# A detector that has just started needs a minute before its first micro-batch.
PATIENCE_SECONDS = 240.0
POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Backlog of a stack: transactions to score, a begun micro-batch, messages to store."""

    unscored: int = 0
    """Messages of transaction_topic that are in no committed micro-batch."""
    begun_batch: int | None = None
    """Micro-batch that was begun and is not committed: only the code that began it may run it."""
    unread: Mapping[str, int] = field(default_factory=dict)
    """Messages by consumer group that it has not committed."""
    absent: tuple[str, ...] = ()
    """Groups whose running service has not joined yet."""

    @property
    def is_empty(self) -> bool:
        """Whether everything is scored, committed and stored."""
        return not (
            self.unscored
            or self.begun_batch is not None
            or any(self.unread.values())
            or self.absent
        )

    @property
    def text(self) -> str:
        """Describe what is left, for a person."""
        parts = [f"{self.unscored} transactions are not scored"] if self.unscored else []
        if self.begun_batch is not None:
            parts.append(f"micro-batch {self.begun_batch} is begun and not committed")
        parts += [
            f"{group} has {count} messages to store"
            for group, count in self.unread.items()
            if count
        ]
        parts += [f"{group} has not joined its group" for group in self.absent]
        return ", ".join(parts) or "nothing"


def wait_until_drained(
    look: Callable[[], Backlog],
    notify: Notify,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when nothing is left; the time limit begins anew with all progress.

    Raises:
        StackError: there was no progress for too long; the message has what is left.
    """
    left, moved_at = look(), clock()
    if not left.is_empty:
        notify(f"draining: {left.text} ...")
    while not left.is_empty:
        if clock() - moved_at > patience_seconds:
            raise StackError(
                f"draining made no progress for {patience_seconds:.0f} s: {left.text}; see "
                "./fraudwatch logs detector and logs persister, fix the cause and run this again"
            )
        sleep(POLL_SECONDS)
        before, left = left, look()
        if left != before:
            moved_at = clock()
