"""Refill the store from the lake: what retention removed before the persister read it.

``./fraudwatch refill-store TOPIC`` reads these offsets from the archive, partition by partition in
their order, writes them by the persister's own code, and lets the persister continue after them.
The position moves last and rows are idempotent, so a run that is killed is simply run again. What
the archive lacks too is named, and the position stays until that is accepted.

Example: python -m streaming.persister.refill fraud_topic --json
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, cast

from fraudwatch.adapters.kafka_log.consumer_group import Message
from fraudwatch.adapters.kafka_log.dead_letters import KafkaDeadLetters
from fraudwatch.adapters.kafka_log.ends import committed_of
from fraudwatch.adapters.kafka_log.known_topics import KnownTopics
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged, check_topic_id
from fraudwatch.adapters.kafka_log.topic_logs import known_topics
from fraudwatch.adapters.lake.archive_table import (
    ARCHIVED,
    ArchivedMessage,
    archived_messages,
    archived_topic_id,
)
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.lake.offset_ranges import Coverage, OffsetRange, lost_ranges, ranges_text
from fraudwatch.lake import DATABASE
from fraudwatch.log_settings import KnownTopicsSettings
from fraudwatch.observability.job_metrics import run_job, send_rows
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import CassandraSettings, KafkaSettings, LakeSettings, PersisterSettings
from streaming.persister.entries import CONTENTS, read
from streaming.persister.loop import GROUP, REFILL_COMMAND
from streaming.persister.writing import Persister

JOB: Final = "refill_store"
# The exit code where the archive lacks messages too, and that is not accepted.
LACKING: Final = 3

log = logging.getLogger(JOB)
ReadArchive = Callable[[OffsetRange], Iterable[ArchivedMessage]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refilled:
    """Result of a refill: what was lost of a topic, how much was written, what the lake lacks."""

    topic: str
    lost: Sequence[OffsetRange]
    written: int
    missing: Sequence[OffsetRange]
    is_accepted: bool

    @property
    def exit_code(self) -> int:
        """0 if the persister can continue."""
        return LACKING if self.missing and not self.is_accepted else 0

    @property
    def text(self) -> str:
        """One sentence about it."""
        if not self.lost:
            return f"{GROUP} has lost nothing of {self.topic}, so nothing was written"
        text = (
            f"{self.written} of the {sum(one.offsets for one in self.lost)} messages that {GROUP} "
            f"lost of {self.topic} are written from the lake"
        )
        goes_on = f"{GROUP} continues after them within half a minute, or at its next start"
        if not self.missing:
            return f"{text}; {goes_on}"
        text = f"{text}; the lake lacks {ranges_text(self.topic, self.missing)}"
        if self.is_accepted:
            return f"{text}, which is accepted; {goes_on}"
        return (
            f"{text}, so the position stays and {GROUP} still refuses {self.topic}; to go on "
            f"without them run {REFILL_COMMAND} {self.topic} --accept-lost"
        )

    def document(self) -> dict[str, Any]:
        """Return it as the job's JSON document."""
        return {
            "topic": self.topic,
            "lost": [one._asdict() for one in self.lost],
            "written": self.written,
            "missing": [one._asdict() for one in self.missing],
            "text": self.text,
        }


def refill(
    topic: str,
    lost: Sequence[OffsetRange],
    read_archive: ReadArchive,
    persister: Persister,
    *,
    max_records: int,
    accept_lost: bool,
) -> Refilled:
    """Write the lost ranges from the archive, each in the order of its offsets.

    Raises:
        StoreUnavailable: a part is written; run it again.
    """
    written, missing = 0, list[OffsetRange]()
    for one in lost:
        coverage = Coverage(one)
        messages = (found for found in read_archive(one) if coverage.add(found.offset()))
        while part := list(islice(messages, max_records)):
            # An archived message has the methods of a consumed one that are used.
            persister.persist([read(cast("Message", message)) for message in part])
            written += len(part)
            log.info("%s-%d: written up to offset %d", topic, one.partition, part[-1].offset())
        missing += coverage.missing()
    return Refilled(
        topic=topic, lost=lost, written=written, missing=missing, is_accepted=accept_lost
    )


def move_position(known: KnownTopics, refilled: Refilled) -> None:
    """Let the persister continue after the lost ranges, unless messages are missing."""
    if refilled.lost and not refilled.exit_code:
        known.continue_at(refilled.topic, {one.partition: one.end for one in refilled.lost})


def committed_by_group(
    kafka: KafkaSettings, topic: str, partitions: Iterable[int]
) -> Mapping[int, int]:
    """Look up where the persister continues; at offset 0 where it has never committed."""
    wanted = set(partitions)
    found = committed_of(kafka, GROUP, topic)
    return {number: offset for number, offset in found.items() if number in wanted}


def _run(topic: str, *, accept_lost: bool) -> Refilled:
    kafka, settings = KafkaSettings(), PersisterSettings()
    known = known_topics(kafka, GROUP, KnownTopicsSettings().folder)
    positions = known.positions(topic, partial(committed_by_group, kafka))
    found = known.look_up(topic)
    lost = lost_ranges(positions, found.starts)
    if not lost:
        return Refilled(topic=topic, lost=[], written=0, missing=[], is_accepted=accept_lost)
    spark = open_lake(LakeSettings(), JOB)
    table = f"{DATABASE}.{ARCHIVED[topic]}"
    cure = "see docs/runbooks/topic_changed.md"
    check_topic_id(found, archived_topic_id(spark, table), reader="the archive", cure=cure)
    session = connect(CassandraSettings())
    try:
        refilled = refill(
            topic,
            lost,
            partial(archived_messages, spark, topic),
            Persister(
                CassandraVerdictStore(session),
                KafkaDeadLetters(kafka, settings.dead_letter_key_path),
                now_ms=lambda: time.time_ns() // 1_000_000,
            ),
            max_records=settings.max_poll_records,
            accept_lost=accept_lost,
        )
    finally:
        close(session)
    move_position(known, refilled)
    return refilled


def main() -> int:
    """Run the job once, print its result and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("topic", choices=sorted(CONTENTS))
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    parser.add_argument(
        "--accept-lost", action="store_true", help="go on without messages that the lake lacks too"
    )
    arguments = parser.parse_args()
    configure_logging(JOB)
    try:
        refilled = _run(arguments.topic, accept_lost=arguments.accept_lost)
    except (BrokerUnavailable, StoreUnavailable, TopicChanged) as error:
        log.error("%s; the position was not moved", error)  # noqa: TRY400  a sentence
        return 1
    send_rows({JOB: refilled.written})
    text = json.dumps(refilled.document()) if arguments.json else refilled.text
    sys.stdout.write(f"{text}\n")
    return refilled.exit_code


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
