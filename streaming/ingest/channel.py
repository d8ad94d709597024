"""One kind of message at the edge: its way in, and what became of it since the process began."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from prometheus_client import Counter, Gauge

from fraudwatch.application.intake.intake import Intake, Offered, Taken
from fraudwatch.observability.metrics import counter, gauge

log = logging.getLogger("ingest")

Content = TypeVar("Content")
_put_aside = counter("fraudwatch_dead_letters")


@dataclass(slots=True)
class Standing:
    """Where a feed stands, and what has been taken of its kind by whatever door."""

    cursor: str = ""
    feed_sequence: int = 0
    feed_head_sequence: int = 0
    accepted: int = 0
    repeated: int = 0
    put_aside: int = 0
    caught_up: bool = False


@dataclass(frozen=True, slots=True)
class Meters:
    """The metrics of one kind of message."""

    accepted: Counter
    repeated: Counter
    behind: Gauge


def purchase_meters() -> Meters:
    """What is counted of purchases."""
    return Meters(
        counter("fraudwatch_ingest_accepted"),
        counter("fraudwatch_ingest_repeated"),
        gauge("fraudwatch_ingest_feed_behind"),
    )


def label_meters() -> Meters:
    """What is counted of labels."""
    return Meters(
        counter("fraudwatch_ingest_labels"),
        counter("fraudwatch_ingest_repeated_labels"),
        gauge("fraudwatch_ingest_chargebacks_behind"),
    )


@dataclass(frozen=True, slots=True)
class Door(Generic[Content]):
    """Takes one kind of message in and counts it."""

    intake: Intake[Content]
    meters: Meters
    standing: Standing = field(default_factory=Standing)

    def take(self, contents: Sequence[Content]) -> Taken:
        """See :meth:`fraudwatch.application.intake.intake.Intake.take`."""
        return self._counted(self.intake.take(contents))

    def take_feed(self, offered: Sequence[Offered[Content]]) -> Taken:
        """See :meth:`fraudwatch.application.intake.intake.Intake.take_feed`."""
        return self._counted(self.intake.take_feed(offered))

    def stand_at(self, cursor: str, sequence: int | None, head_sequence: int | None) -> None:
        """Everything before this cursor is taken; how much lies behind it may be unknown."""
        standing = self.standing
        standing.cursor = cursor
        if sequence is not None and head_sequence is not None:
            standing.feed_sequence, standing.feed_head_sequence = sequence, head_sequence
            standing.caught_up = sequence >= head_sequence
            self.meters.behind.set(head_sequence - sequence)

    def _counted(self, taken: Taken) -> Taken:
        self.standing.accepted += taken.accepted
        self.standing.repeated += taken.repeated
        self.standing.put_aside += len(taken.put_aside)
        self.meters.accepted.inc(taken.accepted)
        self.meters.repeated.inc(taken.repeated)
        for letter in taken.put_aside:
            _put_aside.labels(stage=letter.stage, code=letter.code).inc()
            log.warning("put aside %s: %s", letter.origin, letter.reason)
        return taken
