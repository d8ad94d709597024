"""One extract a day at a time: a lock in the lake that a dead owner does not hold for ever."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fraudwatch.application.extract.lake_files import LakeFiles, content_of
from fraudwatch.application.extract.ports import DayTaken

# Longer than a page may take with all its tries.
LEASE_MS = 5 * 60_000
_RENEW_EVERY_MS = 30_000
_UNWRITTEN_SECONDS = 1.0
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: its run, its process, and when it was last seen."""

    run_id: str
    process: str
    seen_at_ms: int


@dataclass(slots=True)
class DayLease:
    """The right to write one day; ``is_gone`` knows processes of this machine that have ended."""

    files: LakeFiles
    path: str
    run_id: str
    process: str
    is_gone: Callable[[str], bool]
    now_ms: Callable[[], int]
    rest: Callable[[float], None] = time.sleep
    _renewed_at_ms: int = field(default=0)

    def take(self) -> None:
        """Become the only one.

        Raises:
            DayTaken: another extract holds the day.
        """
        for _ in range(_TRIES):
            self._renewed_at_ms = self.now_ms()
            if self.files.create(self.path, self._written()):
                return
            self._clear_if_dead()
        raise DayTaken(f"others take the lock {self.path} all the time; run this again later")

    def renew(self) -> None:
        """Say that this run is alive; now and then it is also asked whether the day is still ours.

        Raises:
            DayTaken: another extract has taken over.
        """
        if self.now_ms() - self._renewed_at_ms >= _RENEW_EVERY_MS:
            self.confirm()

    def confirm(self) -> None:
        """The day is still ours, and will be for a while.

        Raises:
            DayTaken: another extract has taken over.
        """
        holder = self._holder()
        if holder is None or holder.run_id != self.run_id:
            raise DayTaken(
                f"the lock {self.path} passed to another run while this one stood still; this one "
                "wrote nothing into the day and may be left to end"
            )
        self._renewed_at_ms = self.now_ms()
        self.files.write(self.path, [self._written()])

    def release(self) -> None:
        """Let others in; a lock that is another's stays."""
        holder = self._holder()
        if holder is not None and holder.run_id == self.run_id:
            self.files.remove(self.path)

    def _clear_if_dead(self) -> None:
        holder = self._holder()
        if holder is None and self.files.exists(self.path):
            self.rest(_UNWRITTEN_SECONDS)  # it may be being written
            holder = self._holder()
        if holder is not None and not self._is_dead(holder):
            idle_seconds = max(0, self.now_ms() - holder.seen_at_ms) // 1_000
            raise DayTaken(
                f"another extract of this day runs ({holder.process}, seen {idle_seconds} s ago), "
                "so this one did nothing; wait for it, or run this again "
                f"{LEASE_MS // 60_000} minutes after it was last seen"
            )
        try:
            # Only one of two can move it away, so that a new lock is not removed with an old one.
            taken_away = f"{self.path}.{self.run_id}"
            self.files.move(self.path, taken_away)
            self.files.remove(taken_away)
        except FileNotFoundError:
            return

    def _is_dead(self, holder: Holder) -> bool:
        return self.now_ms() - holder.seen_at_ms > LEASE_MS or self.is_gone(holder.process)

    def _holder(self) -> Holder | None:
        content = content_of(self.files, self.path)
        try:
            return Holder(**json.loads(content)) if content else None
        except (ValueError, TypeError):
            return None

    def _written(self) -> bytes:
        said = {
            "run_id": self.run_id,
            "process": self.process,
            "seen_at_ms": self._renewed_at_ms,
        }
        return json.dumps(said).encode()
