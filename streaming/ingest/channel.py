"""Ingest channel: submit one kind of message and count the results since the process began."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from prometheus_client import Counter, Gauge

from fraudwatch.application.intake.intake import FeedItem, IngestResult, Intake
from fraudwatch.application.intake.known_ids import KnownIds
from fraudwatch.domain.messages.dead_letter import Refused, Stage
from fraudwatch.observability.metrics import counter, gauge
from streaming.ingest.remarks import count_remarks

log = logging.getLogger("ingest")

Content = TypeVar("Content")
_dead_letters = counter("fraudwatch_dead_letters", stage=Stage.INGEST)


@dataclass(slots=True)
class ChannelStatus:
    """Position of a feed, and counts of its kind of message by all channels."""

    cursor: str = ""
    feed_sequence: int = 0
    feed_head_sequence: int = 0
    accepted: int = 0
    repeated: int = 0
    put_aside: int = 0
    caught_up: bool = False


@dataclass(frozen=True, slots=True)
class ChannelMetrics:
    """Prometheus metrics of one kind of message."""

    accepted: Counter
    repeated: Counter
    lag: Gauge | None  # of a feed; None: no feed brings this kind


PURCHASE_METRICS: Final = ChannelMetrics(
    counter("fraudwatch_ingest_accepted"),
    counter("fraudwatch_ingest_repeated"),
    gauge("fraudwatch_ingest_feed_behind"),
)
LABEL_METRICS: Final = ChannelMetrics(
    counter("fraudwatch_ingest_labels"),
    counter("fraudwatch_ingest_repeated_labels"),
    gauge("fraudwatch_ingest_chargebacks_behind"),
)
REFUND_METRICS: Final = ChannelMetrics(
    counter("fraudwatch_ingest_refunds"),
    counter("fraudwatch_ingest_repeated_refunds"),
    None,
)
SANDBOX_METRICS: Final = ChannelMetrics(
    counter("fraudwatch_ingest_sandbox_accepted"),
    counter("fraudwatch_ingest_sandbox_repeated"),
    None,
)


@dataclass(frozen=True, slots=True)
class IngestChannel(Generic[Content]):
    """Submits one kind of message to intake and counts the results.

    ``known`` has the ids that were accepted before, named by ``id_of``. ``on_accepted`` gets what
    was accepted, after the broker's acknowledgement.
    """

    intake: Intake[Content]
    metrics: ChannelMetrics
    status: ChannelStatus = field(default_factory=ChannelStatus)
    known: KnownIds | None = None
    id_of: Callable[[Content], str] = repr
    on_accepted: Callable[[Iterable[Content]], None] | None = None
    _recording: threading.Lock = field(default_factory=threading.Lock)

    def submit(
        self, contents: Sequence[Content], stored: Mapping[str, str | None] | None = None
    ) -> IngestResult:
        """See :meth:`fraudwatch.application.intake.intake.Intake.submit`.

        ``stored`` None: nothing was looked up yet, so what may be a repeat is.
        """
        known = self._stored(contents, is_looked_up=stored is not None)
        result = self._record(self.intake.submit(contents, known if stored is None else stored))
        self._note_accepted(contents, result)
        return result

    def submit_feed(self, items: Sequence[FeedItem[Content]]) -> IngestResult:
        """See :meth:`fraudwatch.application.intake.intake.Intake.submit_feed`."""
        contents = [one.content for one in items if not isinstance(one.content, Refused)]
        result = self._record(self.intake.submit_feed(items, self._stored(contents)))
        self._note_accepted(contents, result)
        count_remarks(items)
        return result

    def advance_cursor(self, cursor: str, sequence: int | None, head_sequence: int | None) -> None:
        """Record that everything before this cursor is ingested; the lag may be unknown."""
        status = self.status
        status.cursor = cursor
        if sequence is not None and head_sequence is not None:
            status.feed_sequence, status.feed_head_sequence = sequence, head_sequence
            status.caught_up = sequence >= head_sequence
            if self.metrics.lag is not None:
                self.metrics.lag.set(head_sequence - sequence)

    def _note_accepted(self, contents: Sequence[Content], result: IngestResult) -> None:
        if self.on_accepted is not None and result.accepted_names:
            names = result.accepted_names
            self.on_accepted([one for one in contents if self.id_of(one) in names])

    def _stored(
        self, contents: Sequence[Content], *, is_looked_up: bool = False
    ) -> Mapping[str, str | None]:
        """Look up what may be a repeat; then the filter has all of these ids."""
        if self.known is None:
            return {}
        names = [self.id_of(content) for content in contents]
        stored = {} if is_looked_up else self.known.hashes_of(names)
        self.known.add(names)
        return stored

    def _record(self, result: IngestResult) -> IngestResult:
        with self._recording:
            self.status.accepted += result.accepted
            self.status.repeated += result.repeated
            self.status.put_aside += len(result.dead_lettered)
        self.metrics.accepted.inc(result.accepted)
        self.metrics.repeated.inc(result.repeated)
        for record in result.dead_lettered:
            _dead_letters.labels(stage=record.stage, code=record.code).inc()
            log.warning("dead-lettered %s: %s", record.origin, record.reason)
        return result
