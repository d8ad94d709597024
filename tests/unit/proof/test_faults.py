from __future__ import annotations

from collections import Counter

import pytest

from fraudwatch.proof.faults import SERVICES, Kind, plan


def test_a_plan_follows_from_its_seed() -> None:
    assert plan(7, 20) == plan(7, 20)
    assert plan(7, 20) != plan(8, 20)


@pytest.mark.parametrize("kills", [1, 5, 7, 20])
def test_everybody_is_killed_in_turn_and_the_persister_stopped_once(kills: int) -> None:
    faults = plan(7, kills)
    killed = [fault.service for fault in faults if fault.kind is Kind.KILL]
    assert len(killed) == kills
    assert max(Counter(killed).values()) - min(Counter(killed)[one] for one in SERVICES) <= 1
    assert [f.service for f in faults if f.kind is Kind.STOP] == ["persister"]


def test_a_short_plan_names_its_own_victims() -> None:
    faults = plan(7, 3, ("detector", "kafka", "cassandra"), stop=None)
    assert {fault.service for fault in faults} == {"detector", "kafka", "cassandra"}
    assert {fault.kind for fault in faults} == {Kind.KILL}
