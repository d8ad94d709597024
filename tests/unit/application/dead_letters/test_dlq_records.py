from __future__ import annotations

import hashlib
from typing import Any

import pytest

from fraudwatch.application.dead_letters.dlq import (
    INGEST_LABELS_TARGET,
    INGEST_TARGET,
    DlqRecord,
    DlqReplay,
    NotReplayable,
    ReplayResult,
    ReplayState,
    ReplayTarget,
    TargetUnavailable,
    newest_first,
)
from fraudwatch.domain.messages.dead_letter import KEPT_PAYLOAD_BYTES
from fraudwatch.samples import NOON_MS
from fraudwatch.topics import AUDIT_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC


def a_record(payload: bytes = b"sound", **changes: Any) -> DlqRecord:
    usual: dict[str, Any] = {
        "stage": "ingest",
        "origin": "feed:1",
        "code": "wrong_schema",
        "reason": "id is missing",
        "at_ms": NOON_MS,
        "payload_bytes": len(payload),
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
        "partition": 0,
        "offset": 0,
    }
    return DlqRecord(**(usual | changes))


class MemoryDlqReader:
    """DLQ reader over a list; payloads by offset."""

    def __init__(self, records: list[DlqRecord], payloads: dict[int, bytes] | None = None) -> None:
        self._records, self._payloads = records, payloads or {}

    def records(self) -> list[DlqRecord]:
        return self._records

    def open(self, record: DlqRecord) -> bytes:
        return self._payloads.get(record.offset, b"sound")


class MemoryTarget:
    """Accepts everything but what begins with ``bad``, unless it is closed."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.calls = 0
        self.is_unavailable = False

    def check(self, payload: bytes) -> None:
        if payload.startswith(b"bad"):
            raise NotReplayable("id is missing")

    def replay(self, payload: bytes) -> None:
        self.calls += 1
        if self.is_unavailable:
            raise TargetUnavailable("ingest does not answer")
        if payload.startswith(b"refused"):
            raise NotReplayable("currency has no rate")
        self.received.append(payload)


class ReplayedList:
    """Replayed records in a list."""

    def __init__(self) -> None:
        self.records: list[DlqRecord] = []

    def __contains__(self, record: DlqRecord) -> bool:
        return record in self.records

    def add(self, record: DlqRecord) -> None:
        self.records.append(record)


@pytest.fixture
def targets() -> dict[str, MemoryTarget]:
    names = (INGEST_TARGET, INGEST_LABELS_TARGET, TRANSACTION_TOPIC, FRAUD_TOPIC)
    return {name: MemoryTarget() for name in names}


@pytest.fixture
def replayed() -> ReplayedList:
    return ReplayedList()


def run(
    targets: dict[str, MemoryTarget],
    replayed: ReplayedList,
    records: list[DlqRecord],
    payloads: dict[int, bytes] | None = None,
    *,
    is_trial: bool = False,
) -> list[ReplayResult]:
    by_name: dict[str, ReplayTarget] = dict(targets)
    reader = MemoryDlqReader(records, payloads)
    return list(DlqReplay(reader, by_name, replayed, is_trial=is_trial).run(reader.records()))


def test_of_copies_the_last_one_is_listed_and_stages_are_kept_apart() -> None:
    origin = "transaction_topic-0-17"
    found = newest_first(
        [
            a_record(stage="detector", origin=origin, at_ms=3, offset=0),
            a_record(stage="persister", origin=origin, at_ms=2, offset=1),
            a_record(stage="detector", origin=origin, at_ms=5, offset=2),
            a_record(origin="feed:9", at_ms=4, offset=3),
        ]
    )
    assert [(record.id, record.offset) for record in found] == [
        ("detector:transaction_topic-0-17", 2),
        ("ingest:feed:9", 3),
        ("persister:transaction_topic-0-17", 1),
    ]


def test_records_of_one_moment_are_listed_in_topic_order() -> None:
    found = newest_first([a_record(origin=f"feed:{n}", offset=n) for n in range(3)])
    assert [record.offset for record in found] == [2, 1, 0]


@pytest.mark.parametrize(
    ("stage", "origin", "target"),
    [
        ("ingest", "feed:90547", INGEST_TARGET),
        ("ingest", "feed:8221:4+1", INGEST_TARGET),
        ("ingest", "chargebacks:411", INGEST_LABELS_TARGET),
        ("ingest", "chargebacks:8221:4+1", INGEST_LABELS_TARGET),
        ("ingest", "feed.psp:c1+4", "feed.psp"),
        ("detector", "feed.psp:c1+4", ""),
        ("ingest", "transaction_topic-1-17", ""),
        ("detector", "transaction_topic-1-17", TRANSACTION_TOPIC),
        ("persister", "transaction_topic-1-17", TRANSACTION_TOPIC),
        ("persister", "fraud_topic-0-3", FRAUD_TOPIC),
        ("persister", "labels_topic-0-3", LABELS_TOPIC),
        ("persister", "audit_topic-0-3", AUDIT_TOPIC),
        ("detector", "fraud_topic-0-3", ""),
        ("persister", "dead_letter_topic-0-3", ""),
        ("persister", "__consumer_offsets-0-3", ""),
        ("persister", "garbage", ""),
        ("a_later_stage", "transaction_topic-1-17", ""),
    ],
)
def test_a_record_has_the_target_it_was_read_from_only(
    stage: str, origin: str, target: str
) -> None:
    assert a_record(stage=stage, origin=origin).target == target


def test_each_record_is_replayed_to_its_target_oldest_first_and_noted(
    targets: dict[str, MemoryTarget], replayed: ReplayedList
) -> None:
    records = [
        a_record(b"2", origin="feed:2", at_ms=2, offset=2),
        a_record(b"1", origin="feed:1", at_ms=1, offset=1),
        a_record(b"3", stage="persister", origin="fraud_topic-0-3", at_ms=3, offset=3),
        a_record(b"4", origin="chargebacks:1", at_ms=4, offset=4),
    ]
    results = run(targets, replayed, records, {n: str(n).encode() for n in (1, 2, 3, 4)})
    assert [result.state for result in results] == [ReplayState.REPLAYED] * 4
    assert targets[INGEST_TARGET].received == [b"1", b"2"]
    assert targets[FRAUD_TOPIC].received == [b"3"]
    assert targets[INGEST_LABELS_TARGET].received == [b"4"]
    assert [record.offset for record in replayed.records] == [1, 2, 3, 4]


def test_a_message_dead_lettered_twice_is_replayed_once_and_noted_twice(
    targets: dict[str, MemoryTarget], replayed: ReplayedList
) -> None:
    both = [a_record(stage=s, origin="transaction_topic-0-1") for s in ("detector", "persister")]
    results = run(targets, replayed, both)
    assert [result.state for result in results] == [ReplayState.REPLAYED] * 2
    assert targets[TRANSACTION_TOPIC].received == [b"sound"]
    assert len(replayed.records) == 2


@pytest.mark.parametrize(
    ("record", "payload", "why"),
    [
        (a_record(b"bad"), b"bad", "id is missing"),
        (a_record(b"refused"), b"refused", "currency has no rate"),
        (a_record(payload_bytes=KEPT_PAYLOAD_BYTES + 1), b"sound", "only the first 65536"),
        (a_record(), b"something else", "does not match the hash in its headers"),
        (a_record(stage="persister", origin="nowhere"), b"sound", "name no replay target"),
        (a_record(code="too_late"), b"sound", "30 days older"),
    ],
)
def test_a_record_that_cannot_be_replayed_has_a_reason_and_stops_nothing(
    targets: dict[str, MemoryTarget],
    replayed: ReplayedList,
    record: DlqRecord,
    payload: bytes,
    why: str,
) -> None:
    later = a_record(origin="feed:2", offset=1, at_ms=NOON_MS + 1)
    stays, enters = run(targets, replayed, [record, later], {0: payload})
    assert (stays.state, enters.state) == (ReplayState.NOT_REPLAYABLE, ReplayState.REPLAYED)
    assert why in stays.detail
    assert replayed.records == [later]
    assert targets[INGEST_TARGET].received == [b"sound"]


def test_exactly_the_kept_size_is_whole() -> None:
    assert not a_record(payload_bytes=KEPT_PAYLOAD_BYTES).is_cut
    assert a_record(payload_bytes=KEPT_PAYLOAD_BYTES + 1).is_cut


def test_an_unavailable_target_is_called_once_and_others_are_used(
    targets: dict[str, MemoryTarget], replayed: ReplayedList
) -> None:
    targets[INGEST_TARGET].is_unavailable = True
    records = [a_record(origin=f"feed:{n}", offset=n) for n in range(3)]
    records.append(a_record(stage="persister", origin="fraud_topic-0-1", offset=3))
    results = run(targets, replayed, records)
    assert [r.state for r in results] == [ReplayState.NOT_REPLAYABLE] * 3 + [ReplayState.REPLAYED]
    assert {r.detail for r in results[:3]} == {"ingest does not answer"}
    assert targets[INGEST_TARGET].calls == 1


def test_a_trial_opens_and_checks_but_sends_and_notes_nothing(
    targets: dict[str, MemoryTarget], replayed: ReplayedList
) -> None:
    records = [a_record(), a_record(b"bad", origin="feed:2", offset=1)]
    results = run(targets, replayed, records, {1: b"bad"}, is_trial=True)
    assert [r.state for r in results] == [ReplayState.WOULD_REPLAY, ReplayState.NOT_REPLAYABLE]
    assert targets[INGEST_TARGET].calls == 0
    assert replayed.records == []


HEADERS = {
    "fraudwatch.code": "not_json",
    "fraudwatch.stage": "detector",
    "fraudwatch.origin": "transaction_topic-0-17",
    "fraudwatch.reason": "message is no JSON object",
    "fraudwatch.payload_sha256": "0" * 64,
    "fraudwatch.payload_bytes": "7",
    "fraudwatch.at_ms": "1768478400000",
}


def test_a_record_is_parsed_from_its_headers() -> None:
    record = DlqRecord.from_headers(HEADERS | {"other": "x"}, 0, 5)
    assert record is not None
    assert record.id == "detector:transaction_topic-0-17"
    assert (record.code, record.at_ms, record.payload_bytes) == ("not_json", NOON_MS, 7)
    assert (record.partition, record.offset) == (0, 5)


@pytest.mark.parametrize("missing", HEADERS)
def test_without_one_of_its_headers_there_is_no_record(missing: str) -> None:
    assert DlqRecord.from_headers({k: v for k, v in HEADERS.items() if k != missing}, 0, 5) is None


@pytest.mark.parametrize("number", ["fraudwatch.at_ms", "fraudwatch.payload_bytes"])
def test_an_invalid_number_makes_no_record(number: str) -> None:
    assert DlqRecord.from_headers(HEADERS | {number: "soon"}, 0, 5) is None
