"""Trial of a canary: the verdicts of both groups, counted once, and how it ended.

Positions are kept with the counts, in one file, so that a restarted reader continues where its
counts end. Within a partition the source offsets of new verdicts only rise
(:mod:`fraudwatch.domain.tally`), so the highest one recognises copies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from fraudwatch.domain.messages.verdict import Outcome, Verdict
from fraudwatch.domain.models.canary import customer_draw
from fraudwatch.domain.models.canary_check import BUCKETS, Group, deviation_of
from fraudwatch.domain.models.fitted import VERSION_LENGTH

_BUCKET_KEY: Final = b"canary bucket"
_CLASSIFIER: Final = "fraud"  # name of its score in a verdict


class TrialUnavailable(Exception):
    """The trial's file cannot be read."""


@dataclass(slots=True)
class Position:
    """Position of a partition that the counts reach to."""

    verdict_offset: int
    """The next verdict to read."""
    source_offset: int = -1
    """The highest offset of a counted purchase in its topic."""


@dataclass(slots=True, kw_only=True)
class CanaryTrial:
    """Canary with its counts so far; ended if ``ended_at_ms`` is known."""

    model: str
    """Hash of its classifier."""
    champion: str
    share_ratio: float
    started_at_ms: int
    positions: dict[int, Position]
    """By partition."""
    of_canary: Group = field(default_factory=Group)
    of_champion: Group = field(default_factory=Group)
    ended_at_ms: int | None = None
    rolled_back_because: str = ""
    """Why it was rolled back by itself; empty: it was not."""
    topic_ids: dict[str, str] = field(default_factory=dict)
    """Kafka's ids of the topics whose offsets the positions are; empty before they were kept."""
    is_audited: bool = False
    """Whether the audit record of the roll-back is written."""

    def add(self, partition: int, offset: int, verdict: Verdict) -> str | None:
        """Count a verdict; return its group, None if it is a copy or of neither model."""
        position = self.positions[partition]
        position.verdict_offset = offset + 1
        if verdict.source_offset <= position.source_offset:
            return None
        position.source_offset = verdict.source_offset
        scored_by = next(
            (one.version for one in verdict.model_scores if one.model == _CLASSIFIER), None
        )
        if not verdict.calibration or scored_by is None:
            return None
        groups = {
            self.model[:VERSION_LENGTH]: ("canary", self.of_canary),
            self.champion[:VERSION_LENGTH]: ("champion", self.of_champion),
        }
        if scored_by not in groups:
            return None
        name, group = groups[scored_by]
        bucket = customer_draw(_BUCKET_KEY, verdict.customer_token) % BUCKETS
        group.buckets[bucket].add(
            {
                "alerts": float(verdict.outcome is not Outcome.APPROVE),
                "declines": float(verdict.outcome is Outcome.DECLINE),
                "score": verdict.score,
            }
        )
        return name

    def deviation(self) -> str | None:
        """Return why the canary must be rolled back, in a sentence without a full stop; or None."""
        found = deviation_of(self.of_canary, self.of_champion)
        return None if found is None else found.sentence


class CanaryTrials(Protocol):
    """Store of the newest trial."""

    def read(self) -> CanaryTrial | None:
        """Return the newest trial; None: there was none.

        Raises:
            TrialUnavailable: it cannot be read.
        """

    def write(self, trial: CanaryTrial) -> None:
        """Replace it durably."""


def roll_back(
    trial: CanaryTrial, reason: str, trials: CanaryTrials, end: Callable[[], object], now_ms: int
) -> None:
    """Record why, then end the canary: a death in between ends it at the next start."""
    trial.rolled_back_because, trial.ended_at_ms = reason, now_ms
    trials.write(trial)
    end()
