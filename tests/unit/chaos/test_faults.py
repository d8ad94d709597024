from __future__ import annotations

from collections import Counter

import pytest

from chaos.faults import SERVICES, Fault, FaultKind, plan


def of_the_detector(faults: list[Fault]) -> list[FaultKind]:
    return [fault.kind for fault in faults if fault.service == "detector"]


def test_a_plan_follows_from_its_seed() -> None:
    assert plan(7, 20) == plan(7, 20)
    assert plan(7, 20) != plan(8, 20)


@pytest.mark.parametrize("kills", [1, 5, 7, 20])
def test_every_service_is_killed_in_turn_and_the_persister_stopped_once(kills: int) -> None:
    faults = plan(7, kills)
    killed = [fault.service for fault in faults if fault.kind is not FaultKind.STOP]
    assert len(killed) == kills
    assert max(Counter(killed).values()) - min(Counter(killed)[one] for one in SERVICES) <= 1
    assert [f.service for f in faults if f.kind is FaultKind.STOP] == ["persister"]


@pytest.mark.parametrize("seed", range(20))
def test_every_second_kill_of_the_detector_is_at_a_verdict(seed: int) -> None:
    faults = plan(seed, 20)
    assert of_the_detector(faults) == [FaultKind.KILL_AT_VERDICT, FaultKind.KILL] * 2
    others = {fault.kind for fault in faults if fault.service != "detector"}
    assert others == {FaultKind.KILL, FaultKind.STOP}


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
