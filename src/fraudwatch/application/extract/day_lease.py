"""Day lock: a lease in the lake so that one run at a time extracts a day; dead owners expire."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fraudwatch.application.extract.lake_files import LakeFiles, content_of
from fraudwatch.application.extract.ports import DayLocked

# Longer than a page may take with all its retries.
LEASE_MS = 5 * 60_000
_RENEW_EVERY_MS = 30_000
_UNWRITTEN_SECONDS = 1.0
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Holder:
    """Owner of a day lock: its run, its process, and its last renewal."""

    run_id: str
    process: str
    seen_at_ms: int


@dataclass(slots=True)
class DayLease:
    """Lease to write one day; ``is_gone`` tells whether a process of this machine has ended."""

    files: LakeFiles
    path: str
    run_id: str
    process: str
    is_gone: Callable[[str], bool]
    now_ms: Callable[[], int]
    rest: Callable[[float], None] = time.sleep
    _renewed_at_ms: int = field(default=0)

    def acquire(self) -> None:
        """Acquire the day lock.

        Raises:
            DayLocked: another extract holds the lock.
        """
        for _ in range(_TRIES):
            self._renewed_at_ms = self.now_ms()
            if self.files.create(self.path, self._written()):
                return
            self._clear_if_dead()
        raise DayLocked(f"other runs keep acquiring the lock {self.path}; run this again later")

    def renew(self) -> None:
        """Renew the lease if it is due, checking that this run still owns it.

        Raises:
            DayLocked: another extract has taken over.
        """
        if self.now_ms() - self._renewed_at_ms >= _RENEW_EVERY_MS:
            self.confirm()

    def confirm(self) -> None:
        """Check that this run still owns the lock, and renew it.

        Raises:
            DayLocked: another extract has taken over.
        """
        holder = self._holder()
        if holder is None or holder.run_id != self.run_id:
            raise DayLocked(
                f"the lock {self.path} passed to another run while this one was stalled; this one "
                "wrote nothing into the day and may be left to end"
            )
        self._renewed_at_ms = self.now_ms()
        self.files.write(self.path, [self._written()])

    def release(self) -> None:
        """Release the lock if this run owns it."""
        holder = self._holder()
        if holder is not None and holder.run_id == self.run_id:
            self.files.remove(self.path)

    def _clear_if_dead(self) -> None:
        holder = self._holder()
        if holder is None and self.files.exists(self.path):
            self.rest(_UNWRITTEN_SECONDS)  # another run may be writing it
            holder = self._holder()
        if holder is not None and not self._is_dead(holder):
            idle_seconds = max(0, self.now_ms() - holder.seen_at_ms) // 1_000
            raise DayLocked(
                f"another extract of this day runs ({holder.process}, active {idle_seconds} s ago),"
                " so this one did nothing; wait for it, or run this again "
                f"{LEASE_MS // 60_000} minutes after it was last active"
            )
        try:
            # Only one of two runs can move it, so that a new lock is not removed with the old one.
            moved_path = f"{self.path}.{self.run_id}"
            self.files.move(self.path, moved_path)
            self.files.remove(moved_path)
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
        content = {
            "run_id": self.run_id,
            "process": self.process,
            "seen_at_ms": self._renewed_at_ms,
        }
        return json.dumps(content).encode()
