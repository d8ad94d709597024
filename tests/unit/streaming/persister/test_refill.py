"""Refill of the store from the archive, over a memory store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.known_topics import KnownTopics
from fraudwatch.adapters.kafka_log.topic_check import TopicLog
from fraudwatch.adapters.lake.archive_table import ArchivedMessage
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryVerdictStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.lake.offset_ranges import OffsetRange
from fraudwatch.samples import NOON_MS, a_verdict
from fraudwatch.topics import FRAUD_TOPIC
from streaming.persister.refill import LACKING, Refilled, move_position, refill
from streaming.persister.writing import Persister

LOST = [OffsetRange(0, 3, 10), OffsetRange(1, 0, 4)]


def archived(partition: int, offset: int) -> ArchivedMessage:
    verdict = a_verdict(transaction_id=f"shop:{partition}-{offset}", source_offset=offset)
    row = {
        "source_partition": partition,
        "source_offset": offset,
        "produced_at_ms": NOON_MS,
        "value": bytearray(encode(verdict)),
        "headers": None,
    }
    return ArchivedMessage(FRAUD_TOPIC, row)  # type: ignore[arg-type]  # a row is read by names


@pytest.fixture
def store() -> MemoryVerdictStore:
    return MemoryVerdictStore()


def refilled(
    store: MemoryVerdictStore, *, lacking: tuple[int, ...] = (), accept_lost: bool = False
) -> Refilled:
    def read_archive(wanted: OffsetRange) -> Iterator[ArchivedMessage]:
        offsets = [at for at in range(wanted.start, wanted.end) if at not in lacking]
        return (archived(wanted.partition, at) for at in offsets)

    persister = Persister(store, MemoryDeadLetters(), lambda: NOON_MS)
    return refill(
        FRAUD_TOPIC, LOST, read_archive, persister, max_records=3, accept_lost=accept_lost
    )


def known_in(folder: Path) -> KnownTopics:
    """Topics of a persister that has read its topic before retention removed the lost ranges."""
    path = folder / f"{FRAUD_TOPIC}.json"
    path.write_text('{"topic_id": "id", "anew": []}')
    log = TopicLog(FRAUD_TOPIC, "id", {0: 10, 1: 4}, {0: 50, 1: 50})
    return KnownTopics(folder, "persister", lambda _: log)


def test_lost_messages_are_written_once_however_often_it_runs(
    store: MemoryVerdictStore, tmp_path: Path
) -> None:
    known = known_in(tmp_path)
    for _ in range(2):
        done = refilled(store)
        assert set(store.verdicts) == {
            f"shop:{one.partition}-{at}" for one in LOST for at in range(one.start, one.end)
        }
        assert (done.written, done.missing, done.exit_code) == (11, [], 0)
        assert "11 of the 11 messages that persister lost of fraud_topic are written" in done.text
        move_position(known, done)
    known.check(FRAUD_TOPIC, lambda *_: {0: 3, 1: 0})
    assert [known.start_of(FRAUD_TOPIC, number) for number in (0, 1)] == [10, 4]


def test_what_the_lake_lacks_is_named_and_moves_nothing_until_it_is_accepted(
    store: MemoryVerdictStore, tmp_path: Path
) -> None:
    known = known_in(tmp_path)
    done = refilled(store, lacking=(5, 6, 9))
    assert (done.exit_code, done.written) == (LACKING, 8)
    missing = "the lake lacks fraud_topic-0 offsets 5 to 6, fraud_topic-0 offsets 9 to 9"
    assert missing in done.text
    assert "run ./fraudwatch refill-store fraud_topic --accept-lost" in done.text
    move_position(known, done)
    assert known.positions(FRAUD_TOPIC, lambda *_: {0: 3}) == {0: 3}
    accepted = refilled(store, lacking=(5, 6, 9), accept_lost=True)
    assert accepted.exit_code == 0
    assert f"{missing}, which is accepted" in accepted.text
    move_position(known, accepted)
    assert known.positions(FRAUD_TOPIC, lambda *_: {0: 3}) == {0: 10, 1: 4}
    assert json.loads(json.dumps(accepted.document()))["missing"] == [
        {"partition": 0, "start": 5, "end": 7},
        {"partition": 0, "start": 9, "end": 10},
    ]


def test_a_store_that_is_away_moves_nothing(store: MemoryVerdictStore) -> None:
    store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        refilled(store)


def test_where_nothing_is_lost_nothing_is_written() -> None:
    done = Refilled(topic=FRAUD_TOPIC, lost=[], written=0, missing=[], is_accepted=False)
    assert (done.exit_code, done.text) == (
        0,
        "persister has lost nothing of fraud_topic, so nothing was written",
    )
