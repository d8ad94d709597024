"""Who works on what, and one reading at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from fraudwatch.adapters.memory import MemoryVerdictStore
from fraudwatch.adapters.memory_casework import MemoryCases, MemoryClaims
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.label import Source, Truth
from streamlit_app.live.single_flight import SingleFlight, StoreSlow
from streamlit_app.live.status import Status, StatusBook
from tests.unit.streamlit_app.live_world import NOON, NOON_MS, a_label, an_alert

SECOND = timedelta(seconds=1)


def words(store: MemoryVerdictStore, *times: datetime) -> dict[str, Truth]:
    book = StatusBook(MemoryClaims(lambda: NOON), MemoryCases(store))
    for now in times:
        book.read_decisions(now)
    return {name: label.verdict for name, label in book.status().decided.items()}


def test_the_latest_word_of_an_analyst_stands() -> None:
    store = MemoryVerdictStore()
    store.write(
        [],
        [],
        [
            a_label(NOON_MS - 3_000, "shop:a", verdict=Truth.FRAUD),
            a_label(NOON_MS - 2_000, "shop:a", verdict=Truth.GENUINE),
            a_label(NOON_MS - 1_000, "shop:a", source=Source.CHARGEBACK, by="bank"),
        ],
    )
    assert words(store, NOON) == {"shop:a": Truth.GENUINE}


def test_a_label_that_is_written_late_is_found() -> None:
    store = MemoryVerdictStore()
    book = StatusBook(MemoryClaims(lambda: NOON), MemoryCases(store))
    book.read_decisions(NOON)
    store.write([], [], [a_label(NOON_MS - 300_000, "shop:a")])
    book.read_decisions(NOON + 5 * SECOND)
    assert set(book.status().decided) == {"shop:a"}
    store.write([], [], [a_label(NOON_MS - 9_000_000, "shop:b")])
    book.read_decisions(NOON + timedelta(minutes=10))
    assert set(book.status().decided) == {"shop:a", "shop:b"}


def test_what_is_known_stays_while_nobody_answers() -> None:
    store, claims = MemoryVerdictStore(), MemoryClaims(lambda: NOON)
    claims.claim("shop:a", "bert")
    store.write([], [], [a_label(NOON_MS, "shop:b")])
    book = StatusBook(claims, MemoryCases(store))
    book.read_claims(NOON)
    book.read_decisions(NOON)
    claims.is_reachable = store.is_reachable = False
    for read in (book.read_claims, book.read_decisions):
        with pytest.raises(StoreUnavailable):
            read(NOON + 5 * SECOND)
    assert (set(book.status().holders), set(book.status().decided)) == ({"shop:a"}, {"shop:b"})


def test_a_line_tells_claims_first_then_what_was_decided_of_how_many() -> None:
    names = "abcd"
    status = Status(
        holders={"shop:a": "anna", "shop:b": "bert", "shop:x": "carl"},
        decided={"shop:c": a_label(NOON_MS, "shop:c", verdict=Truth.UNSURE)},
    )
    alerts = {name: an_alert(1, name) for name in names}
    assert status.words("anna", [alerts["d"]]) == "Open"
    assert status.words("anna", [alerts["a"]]) == "★ Yours"
    assert status.words("bert", [alerts["a"]]) == "With anna"
    assert status.words("anna", [alerts["c"]]) == "Unsure (bert)"
    told = status.words("anna", alerts.values())
    assert told == "★ Yours, With bert, 1 of 4: Unsure (bert)"
    assert [status.is_open_for("anna", alerts[name]) for name in names] == [
        True,
        False,
        False,
        True,
    ]


def test_a_job_runs_once_for_all_who_ask_at_once_and_again_when_it_is_due() -> None:
    ran: list[datetime] = []
    flight = SingleFlight(ran.append, SECOND)
    with ThreadPoolExecutor(8) as sessions:
        list(sessions.map(lambda _: flight.run(NOON, patience_seconds=10), range(50)))
    assert ran == [NOON]
    flight.run(NOON + 0.9 * SECOND, patience_seconds=10)
    flight.run(NOON + SECOND, patience_seconds=10)
    # A clock that was set back stops nothing.
    flight.run(NOON - 9 * SECOND, patience_seconds=10)
    assert ran == [NOON, NOON + SECOND, NOON - 9 * SECOND]


def test_a_job_that_fails_says_so_to_everybody_until_it_is_tried_again() -> None:
    trouble = [StoreUnavailable("away")]

    def job(_: datetime) -> None:
        if trouble:
            raise trouble.pop()

    flight = SingleFlight(job, SECOND)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="away"):
            flight.run(NOON, patience_seconds=10)
    flight.run(NOON + SECOND, patience_seconds=10)


def test_a_job_that_hangs_is_waited_for_once_and_started_once() -> None:
    answers, ran = threading.Event(), []

    def job(now: datetime) -> None:
        ran.append(now)
        answers.wait(30)

    flight = SingleFlight(job, SECOND)
    for seconds in range(3):
        with pytest.raises(StoreSlow):
            flight.run(NOON + seconds * SECOND, patience_seconds=0.05)
    assert ran == [NOON]
    answers.set()
    flight.run(NOON, patience_seconds=10_000)
