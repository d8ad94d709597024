"""Model page by role: versions, comparison, drift, approve and roll back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.memory.operations import MemoryExporters
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.accounts import Accounts, Actor
from fraudwatch.application.promotion.canary_trial import CanaryTrial
from fraudwatch.application.promotion.model_changes import ModelAction, ModelChanges
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.domain.models.canary_check import BUCKETS
from streamlit_app.model.services import ModelServices
from tests.model_registry import (
    CHAMPION,
    FORMER,
    NOON_MS,
    WAITING,
    MemoryTrials,
    ScriptedChanges,
    StoredSummary,
    a_registry,
    drift_samples,
)
from tests.policies import AuditRecorder
from tests.unit.streamlit_app.conftest import memory_accounts
from tests.unit.streamlit_app.test_accounts_page import NOW

WHY = "alerts were fewer and better all week"


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(accounts: "Accounts", services: "ModelServices", login_name: str) -> None:  # noqa: UP037
    import streamlit as st

    from streamlit_app.model import screen
    from streamlit_app.people import login

    login.declare(accounts)
    if "began" not in st.session_state:
        st.session_state["began"] = True
        account = accounts.store.find(login_name)
        assert account is not None
        login.sign_in(account)
    screen.show(lambda: services)


@dataclass
class ModelPage:
    accounts: Accounts = field(default_factory=lambda: memory_accounts(lambda: NOW))
    audit: AuditRecorder = field(default_factory=AuditRecorder)
    jobs: ScriptedChanges = field(default_factory=ScriptedChanges)
    stored: StoredSummary = field(default_factory=StoredSummary)
    exporters: MemoryExporters = field(
        default_factory=lambda: MemoryExporters({"statsd_bridge": drift_samples()})
    )
    trials: MemoryTrials = field(default_factory=MemoryTrials)

    def opened_by(self, name: str) -> AppTest:
        changes = ModelChanges(
            jobs=self.jobs,
            summaries=self.stored,
            audit_log=lambda: self.audit,
            now_ms=lambda: NOON_MS,
        )
        services = ModelServices(changes=changes, trials=self.trials, exporters=self.exporters)
        args = (self.accounts, services, name)
        app = AppTest.from_function(page, args=args, default_timeout=60).run()
        assert not app.exception
        return app


@pytest.fixture
def world() -> ModelPage:
    st.cache_resource.clear()
    st.cache_data.clear()
    return ModelPage()


def change(app: AppTest, why: str = WHY, verb: str = "") -> AppTest:
    """Submit the first button of the form, or the one that begins with a verb."""
    app.text_input("model_reason").input(why)
    button = next(
        one for one in app.button if "version" in one.label and one.label.startswith(verb)
    )
    app = button.click().run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.success, app.error, app.warning)
    return "\n".join(str(one.value) for kind in kinds for one in kind)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_the_page_is_for_leads_only(world: ModelPage, role: Role) -> None:
    app = world.opened_by(role)
    assert f"is {role} and may not model" in app.error[0].value
    assert not app.dataframe
    assert not app.button


def test_versions_are_listed_with_state_metric_and_gate(world: ModelPage) -> None:
    app = world.opened_by("lead")
    versions = app.dataframe[0].value
    assert list(versions["version"]) == [4, 3, 2, 1]
    assert list(versions["state"]) == [
        "waits for approval", "not promoted", "champion", "former champion",
    ]  # fmt: skip
    assert versions["precision"][2] == "0.700 ± 0.020"
    assert "Version 4 passed the gate and waits for approval" in app.info[0].value


def test_the_waiting_version_is_compared_with_the_champion(world: ModelPage) -> None:
    app = world.opened_by("lead")
    folds, gate, changed = (one.value for one in app.dataframe[1:4])
    assert list(folds["Version"]) == [2, 2, 4, 4]
    assert list(folds["Average precision"]) == ["0.680", "0.720", "0.730", "0.770"]
    assert "after the label delay of 3 days" in texts(app)
    assert gate["This version"][0] == "0.7500"
    assert gate["Served then"][0] == "0.6000"
    assert "reviewed from 0.08, declined from 0.97" in texts(app)
    rows = {row[""]: list(row)[1:] for _, row in changed.iterrows()}
    assert rows["Average precision, mean of the folds"] == ["0.700 ± 0.020", "0.750 ± 0.020"]
    assert rows["Version of core_labels"] == ["20", "40"]


def test_the_champion_itself_has_nothing_to_compare(world: ModelPage) -> None:
    app = world.opened_by("lead")
    app.selectbox("model_chosen").set_value(CHAMPION.version).run()
    assert list(app.dataframe[1].value["Version"]) == [2, 2]
    assert "choose another version" in texts(app)
    assert not [one for one in app.button if "version" in one.label]


def test_drift_and_served_quality_are_shown(world: ModelPage) -> None:
    app = world.opened_by("lead")
    drift, quality = (one.value for one in app.dataframe[-2:])
    assert list(drift["Drift of"]) == ["Features, largest", "Score"]
    assert list(drift[""]) == ["▲ above the bound", "● within the bound"]
    assert list(quality["Labels are at least"]) == ["3 days old", "30 days old"]
    assert "slope 0.940" in texts(app)
    world.exporters.down = {"statsd_bridge"}
    st.cache_data.clear()
    app = world.opened_by("lead")
    assert "Nothing was measured" in texts(app)


def test_an_approval_is_audited_and_started(world: ModelPage) -> None:
    app = change(world.opened_by("lead"))
    assert "Started as manual__1" in app.success[0].value
    assert world.jobs.started == [(ModelAction.APPROVE, WAITING.version)]
    assert world.audit.actions() == [(AuditAction.MODEL_APPROVED, "lead")]
    runs = next(one.value for one in app.dataframe if "Change" in one.value.columns)
    assert list(runs["Change"]) == ["Approve 4"]
    assert app.text_input("model_reason").value == ""


def test_a_former_champion_is_rolled_back_to(world: ModelPage) -> None:
    app = world.opened_by("lead")
    app.selectbox("model_chosen").set_value(FORMER.version).run()
    change(app)
    assert world.jobs.started == [(ModelAction.ROLL_BACK, FORMER.version)]
    assert world.audit.actions() == [(AuditAction.MODEL_ROLLED_BACK, "lead")]


def test_a_waiting_version_is_tried_on_a_share_of_the_customers(world: ModelPage) -> None:
    app = change(world.opened_by("lead"), verb="Try")
    assert "scores 5 % of the customers" in app.success[0].value
    assert world.jobs.started == [(ModelAction.CANARY, WAITING.version)]
    assert world.audit.actions() == [(AuditAction.CANARY_STARTED, "lead")]


def a_trial(**changes: Any) -> CanaryTrial:
    trial = CanaryTrial(
        model=WAITING.sha256,
        champion=CHAMPION.sha256,
        share_ratio=0.05,
        started_at_ms=NOON_MS,
        positions={},
    )
    for group, alerts in ((trial.of_canary, 30), (trial.of_champion, 20)):
        for number in range(2_000):
            is_alert = number < alerts
            group.buckets[number % BUCKETS].add(
                {"alerts": is_alert, "declines": 0.0, "score": 0.5 * is_alert}
            )
    return replace(trial, **changes)


def test_a_running_canary_is_shown_beside_the_champion_and_ended(world: ModelPage) -> None:
    world.trials.trial = a_trial()
    app = world.opened_by("lead")
    assert "Version 4 scores 5.0% of the customers" in texts(app)
    shown = next(one.value for one in app.dataframe if "Band" in one.value.columns)
    rows = {row["Measure"]: list(row)[1:] for _, row in shown.iterrows()}
    assert rows["purchases"][:2] == ["2,000", "2,000"]
    assert rows["alerts per purchase"] == ["0.01500", "0.01000", "1.50", "0.5 to 2"]
    assert not [one for one in app.button if one.label.startswith("Try")]
    change(app, verb="End the canary")
    assert world.jobs.started == [(ModelAction.END_CANARY, WAITING.version)]
    assert world.audit.actions() == [(AuditAction.CANARY_ENDED, "lead")]


def test_a_canary_that_was_rolled_back_says_why(world: ModelPage) -> None:
    world.trials.trial = a_trial(ended_at_ms=NOON_MS + 1, rolled_back_because="too many alerts")
    app = world.opened_by("lead")
    assert "Version 4 was rolled back by itself" in app.error[0].value
    assert "too many alerts." in app.error[0].value
    assert [one for one in app.button if one.label.startswith("Try")]


def test_counts_that_cannot_be_read_are_reported(world: ModelPage) -> None:
    world.trials.failure = "the canary's counts cannot be read"
    assert "cannot be read" in world.opened_by("lead").error[0].value


def test_a_version_that_was_approved_meanwhile_is_not_offered_again(world: ModelPage) -> None:
    app = world.opened_by("lead")
    approved = replace(WAITING, is_waiting=False, is_active=True, promoted_at_ms=NOON_MS)
    world.stored.summary = a_registry(approved, replace(CHAMPION, is_active=False), FORMER)
    app.run()
    assert not [one for one in app.button if one.label.startswith("Approve")]


def test_nothing_is_started_without_a_reason_or_a_record(world: ModelPage) -> None:
    app = change(world.opened_by("lead"), "better")
    assert "Give a reason" in app.error[0].value
    world.audit.is_down = True
    assert "Nothing was changed" in change(app).error[0].value
    assert app.text_input("model_reason").value == WHY
    assert world.jobs.started == []


def test_without_airflow_the_command_is_shown(world: ModelPage) -> None:
    world.jobs.refusal = "Airflow does not answer. Nothing was changed."
    app = world.opened_by("lead")
    assert "./fraudwatch model approve 4" in app.info[1].value
    assert "Nothing was changed" not in app.info[1].value
    assert "Airflow does not answer" in change(app).error[0].value
    assert world.audit.records == []


def test_a_lead_who_lost_the_role_changes_nothing(world: ModelPage) -> None:
    app = world.opened_by("lead")
    world.accounts.change_role(Actor("admin", lambda *_: None), "lead", Role.ANALYST)
    change(app)
    assert (world.jobs.started, world.audit.records) == ([], [])


def test_before_the_first_training_the_command_is_shown(world: ModelPage) -> None:
    world.stored.summary = None
    assert "dags trigger train_model" in world.opened_by("lead").info[0].value


def test_a_platform_without_an_active_model_is_reported(world: ModelPage) -> None:
    world.stored.summary = a_registry(WAITING)
    app = world.opened_by("lead")
    assert "No registered model is active" in app.warning[0].value
    assert list(app.dataframe[1].value["Version"]) == [4, 4]
