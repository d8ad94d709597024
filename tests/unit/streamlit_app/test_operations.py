"""Operations page by role: figures, exporters that are down, DAG runs, revoking a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.memory.operations import MemoryDagRuns, MemoryExporters
from fraudwatch.application.api_keys import ApiKeys, KeyRequest
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.accounts import Accounts, Actor
from fraudwatch.domain.api_keys import ApiKey, KeyState, Scope
from fraudwatch.domain.messages.audit import AuditAction
from streamlit_app.operations.services import OperationsServices
from tests.operations import STARTED_AT_SECONDS, buckets, some_exporters, some_runs
from tests.policies import AuditRecorder
from tests.unit.streamlit_app.conftest import memory_accounts
from tests.unit.streamlit_app.test_accounts_page import NOW

NOW_MS = int(STARTED_AT_SECONDS * 1_000) + 7_200_000
WHY = "the till was replaced last week"


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(accounts: "Accounts", services: "OperationsServices", login_name: str) -> None:  # noqa: UP037
    import streamlit as st

    from streamlit_app.operations import screen
    from streamlit_app.people import login

    login.declare(accounts)
    if "began" not in st.session_state:
        st.session_state["began"] = True
        account = accounts.store.find(login_name)
        assert account is not None
        login.sign_in(account)
    screen.show(lambda: services)


@dataclass
class OperationsWorld:
    folder: Path
    accounts: Accounts = field(default_factory=lambda: memory_accounts(lambda: NOW))
    audit: AuditRecorder = field(default_factory=AuditRecorder)
    exporters: MemoryExporters = field(default_factory=some_exporters)
    dag_runs: MemoryDagRuns = field(default_factory=some_runs)
    now_ms: int = NOW_MS

    def __post_init__(self) -> None:
        self.keys = ApiKeyFile(self.folder / "keys.json")
        made = ApiKeys(self.keys, lambda _action, _subject: None, lambda: NOW_MS)
        request = KeyRequest(client="till", scopes=[Scope.INGEST], sources=["shop"])
        self.key, self.presented = made.make(request)
        self.services = OperationsServices(
            exporters=self.exporters,
            dag_runs=self.dag_runs,
            keys=self.keys,
            audit_log=lambda: self.audit,
            now_ms=lambda: self.now_ms,
        )

    def opened_by(self, name: str) -> AppTest:
        args = (self.accounts, self.services, name)
        app = AppTest.from_function(page, args=args, default_timeout=60).run()
        assert not app.exception
        return app

    def revoke(self, app: AppTest, why: str = WHY) -> AppTest:
        app.text_input("keys_reason").input(why)
        [button] = [one for one in app.button if one.label == "Revoke for good"]
        app = button.click().run()
        assert not app.exception
        return app

    def stored_key(self) -> ApiKey:
        [key] = self.keys.list_keys()
        return key


@pytest.fixture
def world(tmp_path: Path) -> OperationsWorld:
    st.cache_resource.clear()
    st.cache_data.clear()
    return OperationsWorld(tmp_path)


def figures(app: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in app.metric}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.LEAD])
def test_the_page_is_for_admins_only(world: OperationsWorld, role: Role) -> None:
    app = world.opened_by(role)
    assert f"is {role} and may not operate" in app.error[0].value
    assert not app.metric
    assert not app.dataframe
    assert not app.button


def test_the_figures_are_those_of_the_exporters(world: OperationsWorld) -> None:
    app = world.opened_by("admin")
    assert figures(app) == {
        "Services running": "1 of 3",
        "Oldest unread message": "1 h",
        "Verdict latency, median": "0.10 s",
        "Verdict latency, p99": "0.47 s",
        "Dead letters": "14",
    }
    services, lags, channels, dead = (one.value for one in app.dataframe[:4])
    assert list(services["service"]) == ["tally", "console", "detector"]
    assert list(services["state"]) == ["✕ Given up", "▲ Not ready", "● Ready"]
    assert list(services["memory"]) == [150, 150, 150]
    assert list(services["since"]) == ["2 h"] * 3
    assert list(lags["seconds"]) == [3_600, 0.5]
    assert list(channels["state"]) == ["✕ Failing", "● Works"]
    assert list(dead["messages"]) == [12, 2]
    assert dead["command"][0] == (
        "./fraudwatch dead-letters ls --stage ingest --code out_of_bounds"
    )
    assert "./fraudwatch dead-letters replay --dry-run" in app.code[0].value


def test_the_latency_is_that_of_the_last_minutes(world: OperationsWorld) -> None:
    app = world.opened_by("admin")
    assert "since the detector was started" in app.metric[2].help
    slow = buckets(("0.1", 50), ("0.25", 90), ("0.5", 200), ("+Inf", 200))
    world.exporters.samples["detector"] = slow
    world.now_ms += 120_000
    st.cache_data.clear()
    app.run()
    assert figures(app)["Verdict latency, median"] == "0.38 s"
    assert "100 purchases of the last 2 min" in app.metric[2].help


def test_an_exporter_that_is_down_is_named_and_the_rest_is_shown(world: OperationsWorld) -> None:
    world.exporters.down = {"service_usage"}
    app = world.opened_by("admin")
    assert "No figures of service_usage" in app.warning[0].value
    assert "docker compose ps" in app.info[0].value
    assert figures(app)["Services running"] == "—"
    assert figures(app)["Oldest unread message"] == "1 h"


def test_nothing_is_known_without_any_exporter(world: OperationsWorld) -> None:
    world.exporters.down = set(world.exporters.samples)
    app = world.opened_by("admin")
    assert len([one for one in app.warning if "No figures of" in one.value]) == 5
    assert set(figures(app).values()) == {"—", "0"}


def test_dag_runs_are_shown_newest_first_with_the_paused_dags(world: OperationsWorld) -> None:
    app = world.opened_by("admin")
    runs = app.dataframe[4].value
    assert list(runs["dag"]) == ["train_model", "archive_topics"]
    assert list(runs["state"]) == ["✕ Failed", "● Success"]
    assert "Paused" in app.warning[0].value


def test_a_platform_without_airflow_is_reported(world: OperationsWorld) -> None:
    world.dag_runs.is_down = True
    app = world.opened_by("admin")
    assert "No DAG runs are shown: Airflow does not answer" in app.info[0].value
    assert len(app.dataframe) == 5


def test_keys_are_listed_without_their_secret(world: OperationsWorld) -> None:
    app = world.opened_by("admin")
    keys = app.dataframe[5].value
    assert list(keys["client"]) == ["till"]
    assert list(keys["sources"]) == ["shop"]
    shown = "".join(str(one.value) for one in (*app.dataframe, *app.markdown, *app.code))
    assert world.key.secret_sha256 not in shown
    assert world.presented not in shown


def test_a_revoked_key_is_refused_at_once_and_audited_first(world: OperationsWorld) -> None:
    app = world.revoke(world.opened_by("admin"))
    assert "is revoked" in app.success[0].value
    assert world.stored_key().state(NOW_MS) is KeyState.REVOKED
    [record] = world.audit.records
    assert (record.deed, record.by, record.reason) == (AuditAction.KEY_REVOKED, "admin", WHY)
    assert record.subject is not None
    assert world.key.key_id in record.subject
    assert list(app.dataframe[5].value["state"]) == ["✕ Revoked"]
    assert not [one for one in app.button if one.label == "Revoke for good"]


def test_no_key_is_revoked_without_a_reason_or_a_record(world: OperationsWorld) -> None:
    app = world.revoke(world.opened_by("admin"), "too short")
    assert "reason of at least" in app.error[0].value
    world.audit.is_down = True
    app = world.revoke(app)
    assert "Nothing was changed" in app.error[0].value
    assert world.stored_key().state(NOW_MS) is KeyState.VALID
    assert world.audit.records == []


def test_an_admin_who_lost_the_role_revokes_nothing(world: OperationsWorld) -> None:
    actor = Actor("second", lambda *_: None)
    world.accounts.make(actor, "second", Role.ADMIN)
    app = world.opened_by("admin")
    world.accounts.change_role(actor, "admin", Role.LEAD)
    world.revoke(app)
    assert world.stored_key().state(NOW_MS) is KeyState.VALID
    assert world.audit.records == []


def test_an_unreadable_key_file_is_reported(world: OperationsWorld) -> None:
    (world.folder / "keys.json").write_text("no json")
    app = world.opened_by("admin")
    assert "the API keys in" in app.error[0].value
