from __future__ import annotations

from collections import Counter

import pytest

from chaos.faults import EVERYTHING, SERVICES, Fault, FaultKind, crashes, plan

NO_SINGLE_KILL = {FaultKind.STOP, FaultKind.KILL_EVERYTHING}


def of_the_detector(faults: list[Fault]) -> list[FaultKind]:
    return [fault.kind for fault in faults if fault.service == "detector"]


def test_a_plan_follows_from_its_seed() -> None:
    assert plan(7, 20) == plan(7, 20)
    assert plan(7, 20) != plan(8, 20)


@pytest.mark.parametrize("kills", [1, 5, 7, 20])
def test_every_service_is_killed_in_turn_and_the_persister_stopped_once(kills: int) -> None:
    faults = plan(7, kills)
    killed = [fault.service for fault in faults if fault.kind not in NO_SINGLE_KILL]
    assert len(killed) == kills
    assert max(Counter(killed).values()) - min(Counter(killed)[one] for one in SERVICES) <= 1
    assert [f.service for f in faults if f.kind is FaultKind.STOP] == ["persister"]


@pytest.mark.parametrize("seed", range(20))
def test_every_second_kill_of_the_detector_is_at_a_verdict(seed: int) -> None:
    faults = plan(seed, 20)
    assert of_the_detector(faults) == [FaultKind.KILL_AT_VERDICT, FaultKind.KILL] * 2
    others = {fault.kind for fault in faults if fault.service != "detector"}
    assert others == {FaultKind.KILL, FaultKind.STOP, FaultKind.KILL_EVERYTHING}


@pytest.mark.parametrize(("kills", "times"), [(9, 0), (10, 1), (19, 1), (30, 3)])
def test_everything_is_killed_once_beside_each_ten_kills(kills: int, times: int) -> None:
    faults = plan(7, kills)
    whole = [fault for fault in faults if fault.kind is FaultKind.KILL_EVERYTHING]
    assert [fault.service for fault in whole] == [EVERYTHING] * times
    assert len(faults) == kills + times + 1, "and the persister is stopped once"


def test_crashes_are_kills_of_everything_with_pauses_by_the_seed() -> None:
    faults = crashes(7, 4)
    assert {fault.kind for fault in faults} == {FaultKind.KILL_EVERYTHING}
    assert faults == crashes(7, 4)
    assert len({fault.pause_seconds for fault in faults}) == 4
    assert faults != crashes(8, 4)


def test_a_short_plan_kills_the_given_services() -> None:
    faults = plan(7, 3, ("detector", "kafka", "cassandra"), stop=None)
    assert {fault.service: fault.kind for fault in faults} == {
        "detector": FaultKind.KILL_AT_VERDICT,
        "kafka": FaultKind.KILL,
        "cassandra": FaultKind.KILL,
    }


def test_a_plan_without_the_detector_waits_for_no_verdict() -> None:
    assert {fault.kind for fault in plan(7, 4, ("kafka", "cassandra"), stop=None)} == {
        FaultKind.KILL
    }
