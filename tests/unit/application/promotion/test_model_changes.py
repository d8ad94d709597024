"""Approving and rolling back by a lead: rights, states, reason, audit before the job."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.ports import NotDelivered
from fraudwatch.application.promotion.model_changes import (
    ModelAction,
    ModelChangeRefused,
    ModelChanges,
)
from fraudwatch.domain.messages.audit import AuditAction
from tests.model_registry import NOON_MS, ScriptedChanges, StoredSummary
from tests.policies import AuditRecorder

LEAD = Person("lena", Role.LEAD)
WHY = "alerts were fewer and better all week"


@dataclass
class ModelWorld:
    jobs: ScriptedChanges = field(default_factory=ScriptedChanges)
    summaries: StoredSummary = field(default_factory=StoredSummary)
    audit: AuditRecorder = field(default_factory=AuditRecorder)

    @property
    def changes(self) -> ModelChanges:
        return ModelChanges(
            jobs=self.jobs,
            summaries=self.summaries,
            audit_log=lambda: self.audit,
            now_ms=lambda: NOON_MS,
        )


@pytest.fixture
def world() -> ModelWorld:
    return ModelWorld()


@pytest.mark.parametrize(
    ("action", "version", "audited"),
    [
        (ModelAction.APPROVE, 4, AuditAction.MODEL_APPROVED),
        (ModelAction.ROLL_BACK, 1, AuditAction.MODEL_ROLLED_BACK),
        (ModelAction.CANARY, 4, AuditAction.CANARY_STARTED),
        (ModelAction.CANARY, 1, AuditAction.CANARY_STARTED),
        (ModelAction.END_CANARY, 4, AuditAction.CANARY_ENDED),
    ],
)
def test_a_change_is_audited_and_started(
    world: ModelWorld, action: ModelAction, version: int, audited: AuditAction
) -> None:
    assert world.changes.change(LEAD, action, version, f"  {WHY} ") == "manual__1"
    assert world.jobs.started == [(action, version)]
    [record] = world.audit.records
    assert (record.deed, record.by, record.reason) == (audited, "lena", WHY)
    assert record.subject == f"model version {version} (000000000000)"


@pytest.mark.parametrize(
    ("action", "version", "reason"),
    [
        (ModelAction.APPROVE, 3, "does not wait for approval"),  # refused by the gate
        (ModelAction.APPROVE, 2, "does not wait for approval"),
        (ModelAction.ROLL_BACK, 2, "no former champion"),  # it is active
        (ModelAction.ROLL_BACK, 4, "no former champion"),  # never promoted
        (ModelAction.APPROVE, 9, "There is no version 9"),
    ],
)
def test_a_version_in_another_state_is_refused(
    world: ModelWorld, action: ModelAction, version: int, reason: str
) -> None:
    with pytest.raises(ModelChangeRefused, match=reason):
        world.changes.change(LEAD, action, version, WHY)
    assert (world.jobs.started, world.audit.records) == ([], [])


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_only_leads_read_and_change(world: ModelWorld, role: Role) -> None:
    person = Person("anna", role)
    with pytest.raises(Forbidden, match="may not model"):
        world.changes.change(person, ModelAction.APPROVE, 4, WHY)
    with pytest.raises(Forbidden):
        world.changes.summary(person)
    with pytest.raises(Forbidden):
        world.changes.runs(person, 5)
    assert (world.jobs.started, world.audit.records) == ([], [])


def test_nothing_starts_without_a_reason_a_record_or_the_scheduler(world: ModelWorld) -> None:
    with pytest.raises(ModelChangeRefused, match="Give a reason"):
        world.changes.change(LEAD, ModelAction.APPROVE, 4, "better   ")
    world.audit.is_down = True
    with pytest.raises(NotDelivered):
        world.changes.change(LEAD, ModelAction.APPROVE, 4, WHY)
    world.audit.is_down, world.jobs.refusal = False, "Airflow does not answer"
    with pytest.raises(ModelChangeRefused, match="Airflow"):
        world.changes.change(LEAD, ModelAction.APPROVE, 4, WHY)
    assert world.jobs.started == []
    assert world.audit.records == []  # no record of what could not have begun


def test_before_the_first_training_there_is_nothing_to_change(world: ModelWorld) -> None:
    world.summaries.summary = None
    assert world.changes.summary(LEAD) is None
    with pytest.raises(ModelChangeRefused, match="There is no version 1"):
        world.changes.change(LEAD, ModelAction.ROLL_BACK, 1, WHY)
