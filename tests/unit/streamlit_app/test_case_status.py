"""Status of cases, and single-flight reads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from fraudwatch.adapters.memory.casework import MemoryCases, MemoryClaims
from fraudwatch.adapters.memory.handling import MemoryHandlings
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.handling import UNHANDLED, Handling
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.label import LabelValue, Source
from streamlit_app.live.single_flight import SingleFlight, StoreSlow
from streamlit_app.live.status import Status, StatusCache
from tests.unit.streamlit_app.live_world import NOON, NOON_MS, a_label, an_alert

SECOND = timedelta(seconds=1)


def words(store: MemoryVerdictStore, *times: datetime) -> dict[str, LabelValue]:
    cache = StatusCache(MemoryClaims(lambda: NOON), MemoryCases(store), MemoryHandlings())
    for now in times:
        cache.read_decisions(now)
    return {name: label.verdict for name, label in cache.status().decided.items()}


def test_the_latest_decision_of_an_analyst_counts() -> None:
    store = MemoryVerdictStore()
    store.write(
        [],
        [],
        [
            a_label(NOON_MS - 3_000, "shop:a", verdict=LabelValue.FRAUD),
            a_label(NOON_MS - 2_000, "shop:a", verdict=LabelValue.GENUINE),
            a_label(NOON_MS - 1_000, "shop:a", source=Source.CHARGEBACK, by="bank"),
        ],
    )
    assert words(store, NOON) == {"shop:a": LabelValue.GENUINE}


def test_a_chargeback_decides_what_no_analyst_decided_and_unsure_reopens_nothing() -> None:
    store = MemoryVerdictStore()
    bank = {"source": Source.CHARGEBACK, "by": "bank", "verdict": LabelValue.FRAUD}
    unsure = LabelValue.UNSURE
    store.write(
        [],
        [],
        [
            a_label(NOON_MS - 3_000, "shop:a", **bank),
            a_label(NOON_MS - 3_000, "shop:b", **bank),
            a_label(NOON_MS - 2_000, "shop:b", verdict=unsure),
            a_label(NOON_MS - 2_000, "shop:c", verdict=unsure),
        ],
    )
    assert words(store, NOON) == {
        "shop:a": LabelValue.FRAUD,
        "shop:b": LabelValue.FRAUD,
        "shop:c": unsure,
    }


def test_a_label_that_is_written_late_is_found() -> None:
    store = MemoryVerdictStore()
    cache = StatusCache(MemoryClaims(lambda: NOON), MemoryCases(store), MemoryHandlings())
    cache.read_decisions(NOON)
    store.write([], [], [a_label(NOON_MS - 300_000, "shop:a")])
    cache.read_decisions(NOON + 5 * SECOND)
    assert set(cache.status().decided) == {"shop:a"}
    store.write([], [], [a_label(NOON_MS - 9_000_000, "shop:b")])
    cache.read_decisions(NOON + timedelta(minutes=10))
    assert set(cache.status().decided) == {"shop:a", "shop:b"}


def test_the_status_stays_while_the_store_is_unavailable() -> None:
    store, claims = MemoryVerdictStore(), MemoryClaims(lambda: NOON)
    claims.claim("shop:a", "bert")
    store.write([], [], [a_label(NOON_MS, "shop:b")])
    cache = StatusCache(claims, MemoryCases(store), MemoryHandlings())
    cache.read_claims(NOON)
    cache.read_decisions(NOON)
    claims.is_reachable = store.is_reachable = False
    for read in (cache.read_claims, cache.read_decisions):
        with pytest.raises(StoreUnavailable):
            read(NOON + 5 * SECOND)
    assert (set(cache.status().claims), set(cache.status().decided)) == ({"shop:a"}, {"shop:b"})


def test_a_line_shows_claims_first_then_decisions_with_their_count() -> None:
    names = "abcd"
    status = Status(
        claims={"shop:a": "anna", "shop:b": "bert", "shop:x": "carl"},
        decided={"shop:c": a_label(NOON_MS, "shop:c", verdict=LabelValue.UNSURE)},
    )
    alerts = {name: an_alert(1, name) for name in names}
    assert status.words("anna", [alerts["d"]], NOON_MS) == "Open"
    assert status.words("anna", [alerts["a"]], NOON_MS) == "★ Yours"
    assert status.words("bert", [alerts["a"]], NOON_MS) == "With anna"
    assert status.words("anna", [alerts["c"]], NOON_MS) == "Unsure (bert)"
    words = status.words("anna", list(alerts.values()), NOON_MS)
    assert words == "★ Yours, With bert, 1 of 4: Unsure (bert)"
    # Unsure leaves a case open.
    assert [status.is_open_for("anna", alerts[name]) for name in names] == [
        True,
        False,
        True,
        True,
    ]


def test_a_line_shows_assignments_snoozes_and_what_is_overdue() -> None:
    later = {"snoozed_until_ms": NOON_MS + 7_200_000, "snoozed_by": "bert"}
    status = Status(
        claims={"shop:d": "anna"},
        decided={"shop:e": a_label(NOON_MS, "shop:e")},
        handlings={
            "shop:a": Handling(assigned_to="bert", assigned_by="carl"),
            "shop:b": Handling(**later),  # type: ignore[arg-type]
            "shop:d": Handling(assigned_to="bert", assigned_by="carl"),
            "shop:e": Handling(assigned_to="bert", assigned_by="carl"),
        },
    )
    alerts = {name: an_alert(5 * 3_600, name) for name in "abcde"}
    words = {name: status.words("anna", [one], NOON_MS) for name, one in alerts.items()}
    assert words == {
        "a": "For bert",
        "b": "Snoozed, 2 h",
        "c": "1 h overdue",
        "d": "★ Yours",
        "e": "Fraud (bert)",
    }
    assert status.words("bert", [alerts["a"]], NOON_MS) == "For you"
    assert not status.is_open_for("anna", alerts["a"])
    assert status.is_open_for("bert", alerts["a"])


def test_assignments_are_read_with_the_claims() -> None:
    handlings = MemoryHandlings()
    mine = Handling(assigned_to="anna", assigned_by="anna")
    handlings.change("shop:a", UNHANDLED, mine)
    cache = StatusCache(MemoryClaims(lambda: NOON), MemoryCases(MemoryVerdictStore()), handlings)
    cache.read_claims(NOON)
    assert cache.status().handlings == {"shop:a": mine}


def test_concurrent_calls_share_one_run_and_the_job_repeats_when_due() -> None:
    ran: list[datetime] = []
    flight = SingleFlight(ran.append, SECOND)
    with ThreadPoolExecutor(8) as sessions:
        list(sessions.map(lambda _: flight.run(NOON, max_wait_seconds=10), range(50)))
    assert ran == [NOON]
    flight.run(NOON + 0.9 * SECOND, max_wait_seconds=10)
    flight.run(NOON + SECOND, max_wait_seconds=10)
    # A clock that was set back stops nothing.
    flight.run(NOON - 9 * SECOND, max_wait_seconds=10)
    assert ran == [NOON, NOON + SECOND, NOON - 9 * SECOND]


def test_a_failed_job_raises_for_every_caller_until_it_is_repeated() -> None:
    trouble = [StoreUnavailable("away")]

    def job(_: datetime) -> None:
        if trouble:
            raise trouble.pop()

    flight = SingleFlight(job, SECOND)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="away"):
            flight.run(NOON, max_wait_seconds=10)
    flight.run(NOON + SECOND, max_wait_seconds=10)


def test_a_job_that_hangs_is_waited_for_once_and_started_once() -> None:
    answers, ran = threading.Event(), []

    def job(now: datetime) -> None:
        ran.append(now)
        answers.wait(30)

    flight = SingleFlight(job, SECOND)
    for seconds in range(3):
        with pytest.raises(StoreSlow):
            flight.run(NOON + seconds * SECOND, max_wait_seconds=0.05)
    assert ran == [NOON]
    answers.set()
    flight.run(NOON, max_wait_seconds=10_000)
