"""Restore the detector's state before it scores: a snapshot or a published state, then the log.

A state without its past would score quietly and wrongly. So where the topic no longer begins at
offset 0, something must cover what was before: the detector's own snapshot, or the state that the
batch layer folded from the archive and published. Without either the detector does not start.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fraudwatch.adapters.codecs.periodic_snapshots import PeriodicSnapshots
from fraudwatch.adapters.codecs.state_snapshots import (
    Covered,
    Restored,
    SnapshotFolder,
    newest_usable,
)
from fraudwatch.adapters.codecs.topic_id_file import FILE, TopicIdFile
from fraudwatch.adapters.kafka_log.log import read_range
from fraudwatch.adapters.kafka_log.topic_check import TopicLog, check_positions, check_topic_id
from fraudwatch.adapters.kafka_log.topic_logs import topic_log_of
from fraudwatch.adapters.lake.spark_checkpoint import (
    committed_ends,
    initial_offsets,
)
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.reconciliation.day_cut import Ends, is_before
from fraudwatch.settings import DetectorSettings, KafkaSettings
from fraudwatch.topics import TRANSACTION_TOPIC
from streaming.detector.scoring import Detector

log = logging.getLogger("detector")


class HistoryMissing(RuntimeError):
    """Nothing covers what retention removed from the topic, so the state would lack its past."""


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Offsets by partition: what the topic still holds, and where scoring continues."""

    lows: Ends
    highs: Ends
    scored: Ends | None  # up to here; None if no query has begun
    topic_id: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the topic still begins at offset 0."""
        return not any(self.lows.values())

    @property
    def is_unused(self) -> bool:
        """Whether the topic is empty and no query has begun: there is no past to lose."""
        return self.scored is None and self.lows == self.highs

    def continues(self, covered: Covered) -> bool:
        """Check whether a state of these offsets can be folded on from the topic."""
        limit = self.highs if self.scored is None else self.scored
        return (
            covered.features_version == features_version()
            and covered.topic_id in {"", self.topic_id}
            and is_before(self.lows, covered.ends)
            and is_before(covered.ends, limit)
        )


def restore(
    detector: Detector,
    snapshots: PeriodicSnapshots,
    settings: DetectorSettings,
    kafka: KafkaSettings,
) -> Ends:
    """Restore the state, and return the offsets at which scoring continues, of every partition.

    Raises:
        TopicChanged: the topic is not the one that was scored, or lost what was scored of it.
        HistoryMissing: the topic no longer begins at offset 0, and no state covers what was before.
        RetentionOvertook: retention removed a needed offset just now.
    """
    began = time.monotonic()
    place = position_of(settings, kafka, snapshots.folder)
    found = find_state(snapshots.folder, SnapshotFolder(settings.states_folder), place)
    starts: Ends = found.snapshot.covered.ends if found else {}
    scored = starts if place.scored is None else place.scored
    if found:
        detector.customers = found.state
        snapshots.resume(found)
    events = _fold(detector, kafka, starts, scored)
    detector.ends = dict(scored)
    TopicIdFile(settings.state_folder).write(place.topic_id)
    snapshots.topic_id = place.topic_id
    snapshots.folder.keep_only(lambda covered: is_before(covered.ends, scored))
    log.info(
        "restored the state of %d customers from %s and %d events of the log in %.1f s",
        detector.customers.customers,
        found.snapshot.folder if found else "no snapshot",
        events,
        time.monotonic() - began,
    )
    return {partition: scored.get(partition, low) for partition, low in place.lows.items()}


def position_of(
    settings: DetectorSettings, kafka: KafkaSettings, own: SnapshotFolder
) -> LogPosition:
    """Look up what the topic holds and where Spark's checkpoint continues.

    Raises:
        TopicChanged: the checkpoint is not one of this topic.
    """
    found = topic_log_of(kafka, TRANSACTION_TOPIC)
    scored = committed_ends(settings, TRANSACTION_TOPIC) or initial_offsets(
        settings, TRANSACTION_TOPIC
    )
    check_topic(found, known_topic_id(settings, own), scored, settings)
    return LogPosition(found.starts, found.ends, scored, found.topic_id)


def known_topic_id(settings: DetectorSettings, own: SnapshotFolder) -> str | None:
    """Read the id of the topic that was scored, from its record or the newest snapshot."""
    recorded = TopicIdFile(settings.state_folder).read()
    if recorded is not None:
        return recorded
    return next((one.covered.topic_id or None for one in own.newest_first()), None)


def check_topic(
    found: TopicLog, known: str | None, scored: Ends | None, settings: DetectorSettings
) -> None:
    """Check that the checkpoint is one of this topic; what retention removed is checked later.

    Raises:
        TopicChanged: it is not; the text has the fix.
    """
    folder = settings.state_folder
    cure = (
        "see docs/runbooks/topic_changed.md; to score this topic from its beginning, move "
        f"checkpoint, snapshots and {FILE} in {folder} and the published states in "
        f"{settings.states_folder} away, and start the detector again"
    )
    check_topic_id(found, known, reader="the detector", cure=cure)
    whole = found._replace(starts={})
    check_positions(whole, scored or {}, reader="the detector", cure=cure)


def find_state(
    own: SnapshotFolder, published: SnapshotFolder, place: LogPosition
) -> Restored | None:
    """Restore the newest state that can be folded on; None to begin with the topic.

    Raises:
        HistoryMissing: there is none, and the topic no longer begins at offset 0.
    """
    if place.scored is None and place.is_complete:
        return None  # everything is scored from the beginning
    found = newest_usable([*own.newest_first(), *published.newest_first()], place.continues)
    if found is None and not place.is_complete and not place.is_unused:
        raise HistoryMissing(_reason(own, place))
    return found


def _reason(own: SnapshotFolder, place: LogPosition) -> str:
    begins = ", ".join(
        f"{TRANSACTION_TOPIC}-{partition} begins at offset {low}"
        for partition, low in sorted(place.lows.items())
        if low
    )
    if place.scored is not None and not is_before(place.lows, place.scored):
        return (
            f"{begins}, and only {_text(place.scored)} is scored: retention removed purchases that "
            "were never scored, so the detector does not start; run ./fraudwatch build-states for "
            f"the newest day, then remove the checkpoint in {own.folder.parent} and start it "
            "again: scoring begins where that state ends"
        )
    return (
        f"{begins}, and no state of the features version {features_version()} covers what was "
        f"before and ends by {_text(place.scored or place.highs)}, where scoring continues: every "
        "customer's history would be lost without a sign, so the detector does not start; run "
        "./fraudwatch build-states --date D for the last day D that was scored completely, then "
        "start it again"
    )


def _text(ends: Mapping[int, int]) -> str:
    return ", ".join(f"offset {end} of partition {number}" for number, end in sorted(ends.items()))


def _fold(detector: Detector, kafka: KafkaSettings, starts: Ends, ends: Ends) -> int:
    events = 0
    for messages in read_range(kafka, TRANSACTION_TOPIC, ends, starts=starts):
        produced_at_ms = np.array([m.timestamp()[1] for m in messages], dtype=np.int64)
        detector.fold_history([m.value() or b"" for m in messages], produced_at_ms)
        events += len(messages)
    return events
