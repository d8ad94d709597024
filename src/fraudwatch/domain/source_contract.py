"""Define what is agreed with a source: its deadline, and its answers when no verdict came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.messages.purchase import AppliedDefault

# The contract of sources without one of their own.
DEFAULT_SOURCE: Final = "default"
LONGEST_DEADLINE_MS: Final = 5_000  # as long as ingest lets a caller wait


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultAnswer:
    """Outcome that a client applies up to an amount, inclusive; None: of any amount."""

    outcome: AppliedDefault
    up_to_eur_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContract:
    """Deadline of a source, and its default answers in ascending order of amounts."""

    deadline_ms: int
    defaults: tuple[DefaultAnswer, ...]

    def faults(self) -> list[str]:
        """Return what is wrong with it; the last default must be for any amount."""
        found = []
        if not 1 <= self.deadline_ms <= LONGEST_DEADLINE_MS:
            found.append(f"deadline_ms must be from 1 to {LONGEST_DEADLINE_MS}")
        limits = [one.up_to_eur_cents for one in self.defaults]
        below = [limit for limit in limits[:-1] if limit is not None]
        if not limits or limits[-1] is not None or len(below) < len(limits) - 1:
            found.append("defaults need an amount each, and a last one without")
        elif below != sorted(set(below)) or any(limit < 0 for limit in below):
            found.append("the amounts of defaults must ascend from 0")
        return found


@dataclass(frozen=True, slots=True)
class SourceContracts:
    """Contracts by source, the default one among them."""

    by_source: Mapping[str, SourceContract]

    def of(self, source: str) -> SourceContract:
        """Return the contract of a source."""
        return self.by_source.get(source) or self.by_source[DEFAULT_SOURCE]
