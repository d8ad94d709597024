"""Assign and snooze: rights, bounds, audit before the change, and concurrent changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.casework import MemoryClaims
from fraudwatch.adapters.memory.handling import MemoryHandlings
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.console.handling import CaseHandling, Handling, HandlingRefused
from fraudwatch.application.ports import NotDelivered

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1_000)
HOUR_MS = 3_600_000
ANN, BEN, ROOT = Person("ann", Role.ANALYST), Person("ben", Role.LEAD), Person("root", Role.ADMIN)
CASE, WHY = "shop:1", "The bank answers tomorrow."


@dataclass
class World:
    store: MemoryHandlings = field(default_factory=MemoryHandlings)
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(lambda: NOW))
    audit: MemoryTopic = field(default_factory=MemoryTopic)

    @property
    def service(self) -> CaseHandling:
        log = PublishedAudit(self.audit, encode)
        return CaseHandling(
            self.store, self.claims, lambda: log, lambda: ("ann", "ben", "cleo"), lambda: NOW_MS
        )

    @property
    def handling(self) -> Handling | None:
        return self.store.handlings().get(CASE)

    @property
    def audited(self) -> list[Mapping[str, str]]:
        return [json.loads(message) for _, message, _ in self.audit.messages]


def test_an_analyst_takes_a_free_case_and_gives_it_back_unaudited() -> None:
    world = World()
    world.service.assign(ANN, CASE, "ann")
    assert world.handling == Handling(assigned_to="ann", assigned_by="ann")
    world.service.assign(ANN, CASE, None)
    assert world.handling is None
    assert world.audited == []


def test_a_lead_assigns_to_another_and_is_audited_first() -> None:
    world = World()
    world.service.assign(BEN, CASE, "ann")
    assert world.handling == Handling(assigned_to="ann", assigned_by="ben")
    [record] = world.audited
    assert (record["deed"], record["by"], record["transaction_id"]) == (
        "case_assigned",
        "ben",
        CASE,
    )
    assert record["reason"] == "Assigned to ann, before to no one."
    world.audit.is_reachable = False
    with pytest.raises(NotDelivered):
        world.service.assign(BEN, CASE, "cleo")
    assert world.handling == Handling(assigned_to="ann", assigned_by="ben")


@pytest.mark.parametrize(
    ("assigned_to", "login"), [(None, "cleo"), ("cleo", "ann"), ("cleo", None)]
)
def test_an_analyst_assigns_to_no_other_and_takes_from_none(
    assigned_to: str | None, login: str | None
) -> None:
    world = World()
    if assigned_to:
        world.service.assign(BEN, CASE, assigned_to)
    before = world.handling
    with pytest.raises(Forbidden):
        world.service.assign(ANN, CASE, login)
    assert world.handling == before


def test_a_login_that_does_not_decide_gets_no_case() -> None:
    world = World()
    with pytest.raises(HandlingRefused, match="no open account that decides"):
        world.service.assign(BEN, CASE, "root")
    assert (world.handling, world.audited) == (None, [])


def test_a_snooze_has_a_reason_and_an_end_and_releases_the_claim() -> None:
    world = World()
    world.claims.claim(CASE, "ann")
    world.service.assign(BEN, CASE, "ann")
    world.service.snooze(ANN, CASE, NOW_MS + HOUR_MS, f"  {WHY} ")
    handling = world.handling
    assert handling is not None
    assert (handling.assigned_to, handling.snoozed_by, handling.snooze_reason) == (
        "ann",
        "ann",
        WHY,
    )
    assert handling.is_snoozed(NOW_MS)
    assert not handling.is_snoozed(NOW_MS + HOUR_MS)
    assert world.claims.active_claims() == {}
    world.service.wake(BEN, CASE)
    assert world.handling == Handling(assigned_to="ann", assigned_by="ben")


@pytest.mark.parametrize(
    ("until_ms", "reason"),
    [
        (NOW_MS, WHY),
        (NOW_MS + int(timedelta(days=30).total_seconds() * 1_000) + 1, WHY),
        (NOW_MS + HOUR_MS, "later"),
        (NOW_MS + HOUR_MS, "x" * 501),
    ],
)
def test_a_snooze_out_of_its_bounds_changes_nothing(until_ms: int, reason: str) -> None:
    world = World()
    with pytest.raises(HandlingRefused):
        world.service.snooze(ANN, CASE, until_ms, reason)
    assert world.handling is None


def test_a_case_that_another_works_on_is_not_snoozed() -> None:
    world = World()
    world.claims.claim(CASE, "ben")
    with pytest.raises(HandlingRefused, match="ben works on this case"):
        world.service.snooze(ANN, CASE, NOW_MS + HOUR_MS, WHY)
    assert world.claims.active_claims() == {CASE: "ben"}


def test_who_decides_no_cases_handles_none() -> None:
    service = World().service
    for action in (
        lambda: service.assign(ROOT, CASE, "ann"),
        lambda: service.snooze(ROOT, CASE, NOW_MS + HOUR_MS, WHY),
        lambda: service.wake(ROOT, CASE),
    ):
        with pytest.raises(Forbidden):
            action()


def test_a_case_handled_by_another_meanwhile_is_not_overwritten() -> None:
    class Stale(MemoryHandlings):
        """Its list is empty once, as if read a moment earlier."""

        def __init__(self) -> None:
            super().__init__()
            self.is_stale = False

        def handlings(self) -> Mapping[str, Handling]:
            if self.is_stale:
                self.is_stale = False
                return {}
            return super().handlings()

    stale = Stale()
    world = World(store=stale)
    world.service.assign(BEN, CASE, "ben")
    stale.is_stale = True
    with pytest.raises(HandlingRefused, match="meanwhile"):
        world.service.assign(ANN, CASE, "ann")
    assert world.handling == Handling(assigned_to="ben", assigned_by="ben")


def test_a_finished_case_has_no_handling() -> None:
    world = World()
    world.service.assign(BEN, CASE, "ann")
    world.service.finish(CASE)
    assert world.handling is None
