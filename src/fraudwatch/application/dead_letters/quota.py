"""Dead-letter quota: pause a source that is over its limits, until an operator resumes it.

A source whose format has changed would otherwise be dead-lettered to its last message, unscored. A
paused one keeps its messages. The pause is durable: a restart does not end it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, Protocol

from fraudwatch.domain.dead_letter_quota import MinuteCounts, QuotaLimits
from fraudwatch.domain.time_units import MINUTE_MS

DETECTOR: Final = "detector"
# An API key's quota is its own: one client's error must not stop the others.
KEY_PREFIX: Final = "key-"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaState:
    """State of a source that was paused: until it is resumed, or until when it has no quota."""

    source: str
    reason: str
    paused_at_ms: int
    resumed_until_ms: int | None = None

    @property
    def is_paused(self) -> bool:
        """Check whether an operator has yet to resume it."""
        return self.resumed_until_ms is None


class QuotaStates(Protocol):
    """Store of states, durable when a call returns."""

    def read(self, source: str) -> QuotaState | None:
        """Return the state of a source; None if it was never paused."""

    def write(self, state: QuotaState) -> None:
        """Replace the state of a source."""

    def listed(self) -> list[QuotaState]:
        """Return all states, by source."""


class SourcePaused(RuntimeError):
    """The source is paused until an operator resumes it; nothing of the call was done."""

    def __init__(self, state: QuotaState) -> None:
        self.state = state
        super().__init__(state.reason)


@dataclass(slots=True)
class DeadLetterQuota:
    """Counts by source, and pauses the one that exceeds the limits; for any thread."""

    limits: QuotaLimits
    states: QuotaStates
    now_ms: Callable[[], int]
    _counts: dict[str, MinuteCounts] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def require_running(self, source: str) -> None:
        """Refuse a paused source.

        Raises:
            SourcePaused: it is paused.
        """
        state = self.states.read(source)
        if state is not None and state.is_paused:
            raise SourcePaused(state)

    def count(self, source: str, messages: int, dead_letters: int) -> QuotaState | None:
        """Count messages of a source; return the state of one that is paused by them."""
        now_ms = self.now_ms()
        with self._lock:
            counts = self._counts.setdefault(source, MinuteCounts())
            counts.add(messages, dead_letters, now_ms)
            if not self.limits.are_exceeded(counts.messages, counts.dead_letters):
                return None
            del self._counts[source]  # a resumed source begins at zero
        state = self.states.read(source)
        if state is not None and now_ms < (state.resumed_until_ms or 0):
            return None
        state = QuotaState(
            source=source,
            reason=reason_of(source, counts, self.limits),
            paused_at_ms=now_ms,
        )
        self.states.write(state)
        return state


def reason_of(source: str, counts: MinuteCounts, limits: QuotaLimits) -> str:
    """Describe cause, effect and cure of a pause in one sentence."""
    found = (
        f"{counts.dead_letters:,} of {counts.messages:,} messages of a minute, more than "
        f"{limits.per_minute:,} and {limits.share_ratio:.0%}"
    )
    cure = f"./fraudwatch dead-letters resume {source}"
    if source == DETECTOR:
        return (
            f"the detector's own code refused what ingest accepted: {found}; it stopped before it "
            "dead-lettered or published anything of this micro-batch; install a version that "
            f"accepts them, or let them be dead-lettered, with {cure}"
        )
    if source.startswith(KEY_PREFIX):
        return (
            f"the API key {source.removeprefix(KEY_PREFIX)} sent what cannot be accepted: {found}; "
            "its purchases and labels are not accepted until the client is corrected and the "
            f"operator of this platform goes on with {cure}"
        )
    return (
        f"the source {source} sends what cannot be accepted: {found} were dead-lettered; it is not "
        f"read on, and keeps its messages; see ./fraudwatch dead-letters ls, then {cure}"
    )


def resume(states: QuotaStates, source: str, *, now_ms: int, minutes: int) -> QuotaState:
    """Let a paused source go on, for some minutes without a quota: what waits may be as bad.

    Raises:
        KeyError: the source is not paused.
    """
    state = states.read(source)
    if state is None or not state.is_paused:
        raise KeyError(source)
    resumed = QuotaState(
        source=source,
        reason=state.reason,
        paused_at_ms=state.paused_at_ms,
        resumed_until_ms=now_ms + minutes * MINUTE_MS,
    )
    states.write(resumed)
    return resumed


def paused_of(states: Collection[QuotaState]) -> list[QuotaState]:
    """Select the paused sources."""
    return [state for state in states if state.is_paused]
