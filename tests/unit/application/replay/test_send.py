from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.mapping import load_mapping
from fraudwatch.application.replay.pace import Pace
from fraudwatch.application.replay.ports import ReplayFailed
from fraudwatch.application.replay.send import Replay, ReplayTally

if TYPE_CHECKING:
    from tests.unit.application.replay.conftest import Clock, Edge, WriteMapping, WriteRows

EVENT_ORDER = ["t-a10", "t-a2", "t-a3", "t-a5", "t-a4", "t-a1", "t-a6", "t-a7", "t-a8", "t-a9"]


@pytest.fixture
def dataset(
    rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    write_mapping: WriteMapping,
) -> DatasetFile:
    rows[3]["kind"] = "travel"
    return DatasetFile(write_rows(rows), load_mapping(write_mapping(mapping)))


def send(
    dataset: DatasetFile,
    edge: Edge,
    clock: Clock,
    *,
    per_second: float | None = None,
    skip_bad_rows: bool = False,
    tally: ReplayTally | None = None,
) -> ReplayTally:
    tally = tally or ReplayTally()
    pace = Pace(per_second, clock=clock, sleep=clock.sleep)
    replay = Replay(dataset, edge.client(), pace, sleep=clock.sleep, skip_bad_rows=skip_bad_rows)
    replay.run(tally, lambda _: None)
    return tally


def test_purchases_arrive_in_event_order_and_ties_in_file_order(
    dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    tally = send(dataset, edge, clock)
    assert edge.ids == EVENT_ORDER
    assert (tally.rows_read, tally.sent, tally.accepted, tally.repeated) == (10, 10, 10, 0)
    assert clock.slept == []


def test_a_rate_spreads_purchases_evenly(dataset: DatasetFile, edge: Edge, clock: Clock) -> None:
    send(dataset, edge, clock, per_second=4)
    assert edge.requests == [1] * 10
    assert clock.slept == pytest.approx([0.25] * 9)


@pytest.mark.parametrize(
    ("per_second", "size"),
    [(0.5, 1), (20, 1), (21, 2), (2_000, 100), (90_000, 1_000), (None, 1000)],
)
def test_a_request_is_small_where_the_rate_is(per_second: float | None, size: int) -> None:
    assert Pace(per_second, clock=lambda: 0.0, sleep=lambda _: None).batch_size == size


def test_a_rate_holds_over_slow_requests_and_does_not_burst_after_a_stall(clock: Clock) -> None:
    pace = Pace(10, clock=clock, sleep=clock.sleep)
    pace.wait(1)
    clock.now += 0.04  # the request itself
    pace.wait(1)
    assert clock.slept == pytest.approx([0.06])
    clock.now += 30
    pace.wait(1)
    pace.wait(1)
    assert clock.slept == pytest.approx([0.06, 0.1])


@pytest.mark.parametrize("status", [429, 503])
def test_retry_later_is_obeyed_and_the_same_batch_sent_again(
    status: int, dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    edge.answers = [
        httpx.Response(status, headers={"Retry-After": "7"}),
        httpx.Response(status),
    ]
    tally = send(dataset, edge, clock)
    assert clock.slept == [7.0, 1.0]
    assert edge.requests == [10, 10, 10]
    assert edge.ids == EVENT_ORDER
    assert tally.sent == 10


def test_retries_end(dataset: DatasetFile, edge: Edge, clock: Clock) -> None:
    edge.answers = [httpx.Response(503, headers={"Retry-After": "100"}) for _ in range(99)]
    with pytest.raises(ReplayFailed, match=r"kept answering 503 \(retry later\)"):
        send(dataset, edge, clock)
    assert sum(clock.slept) == 600


def test_a_paused_key_fails_at_once_with_its_reason(
    dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    problem = {"type": "urn:problem-type:fraudwatch:source-paused", "detail": "the key is paused"}
    edge.answers = [httpx.Response(429, json=problem)]
    with pytest.raises(ReplayFailed, match="the key is paused; then run the same command again"):
        send(dataset, edge, clock)
    assert clock.slept == []


def test_an_unreachable_ingest_fails_at_once(
    dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    edge.answers = [httpx.ConnectError("refused")]
    with pytest.raises(ReplayFailed, match="see whether ingest runs"):
        send(dataset, edge, clock)
    assert clock.slept == []


def test_a_restarting_ingest_is_waited_for(dataset: DatasetFile, edge: Edge, clock: Clock) -> None:
    edge.answers = [
        httpx.Response(202, json={"accepted": 1, "repeated": 0}),
        httpx.ReadError("reset"),
        httpx.ConnectError("refused"),
    ]
    assert send(dataset, edge, clock, per_second=20).sent == 10
    assert edge.ids == EVENT_ORDER[1:]


def test_a_body_too_large_is_sent_in_parts_and_stays_in_order(
    dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    edge.largest = 3
    assert send(dataset, edge, clock).accepted == 10
    assert edge.ids == EVENT_ORDER
    assert max(edge.requests[1:]) <= 5


def test_one_purchase_too_large_is_reported_by_its_row(
    dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    edge.largest = 0
    with pytest.raises(ReplayFailed, match="row 10 is too large"):
        send(dataset, edge, clock)


def test_a_refusal_names_the_files_row_and_nothing_of_its_batch_counts(
    dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    objection = {"index": 1, "field": "currency", "reason": "no rate of XXX"}
    edge.answers = [httpx.Response(422, json={"problems": [objection]})]
    tally = ReplayTally()
    with pytest.raises(ReplayFailed, match="row 2: currency is refused by ingest: no rate of"):
        send(dataset, edge, clock, tally=tally)
    assert (tally.sent, tally.position, edge.ids) == (0, 0, [])


def test_refused_purchases_are_skipped_if_requested(
    dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    objection = {"index": 1, "field": "currency", "reason": "no rate of XXX"}
    edge.answers = [httpx.Response(422, json={"problems": [objection]})]
    tally = send(dataset, edge, clock, skip_bad_rows=True)
    assert edge.ids == [i for i in EVENT_ORDER if i != "t-a2"]
    assert (tally.rows_read, tally.sent, tally.skipped) == (10, 9, 1)
    assert [bad.row for bad in tally.reasons] == [2]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (httpx.Response(401), "refuses the key"),
        (httpx.Response(500, text="secret"), "answered 500 in a way"),
        (httpx.Response(202, text="fine"), "answered 202 in a way"),
        (httpx.Response(422, json={"problems": []}), "answered 422 in a way"),
    ],
)
def test_other_answers_end_the_replay_with_a_message(
    answer: httpx.Response, sentence: str, dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    edge.answers = [answer]
    with pytest.raises(ReplayFailed, match=sentence) as failed:
        send(dataset, edge, clock)
    assert "secret" not in str(failed.value)


def test_the_key_is_never_shown(edge: Edge, dataset: DatasetFile, clock: Clock) -> None:
    pace = Pace(None, clock=clock, sleep=clock.sleep)
    replay = Replay(dataset, edge.client("another-key"), pace, sleep=clock.sleep)
    with pytest.raises(ReplayFailed) as failed:
        replay.run(ReplayTally(), lambda _: None)
    assert "another-key" not in str(failed.value)


def test_a_bad_row_stops_before_its_batch_and_after_those_before_it(
    rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    write_mapping: WriteMapping,
    edge: Edge,
    clock: Clock,
) -> None:
    path, map_path = write_rows(rows), write_mapping(mapping)  # row 4 has no kind, so no channel
    dataset = DatasetFile(path, load_mapping(map_path))
    tally = ReplayTally()
    with pytest.raises(ReplayFailed, match=r"row 4: channel \(column kind\) is absent"):
        send(dataset, edge, clock, per_second=40, tally=tally)
    assert (edge.ids, tally.position) == (EVENT_ORDER[:4], 4)
    tally = send(dataset, edge, clock, skip_bad_rows=True)
    assert (tally.skipped, tally.accepted, tally.repeated) == (1, 5, 4)


def test_a_resumed_replay_starts_at_its_position(
    dataset: DatasetFile, edge: Edge, clock: Clock
) -> None:
    send(dataset, edge, clock, tally=ReplayTally(position=7))
    assert edge.ids == EVENT_ORDER[7:]
