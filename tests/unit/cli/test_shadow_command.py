from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudwatch.adapters.artefacts.candidate_folder import current_comparison
from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.adapters.memory.shadow import MemoryShadowStore
from fraudwatch.application.console.audit_outbox import OUTBOX_FILE
from fraudwatch.application.shadow.comparing import Comparing, ShadowRow
from fraudwatch.cli import shadow as command
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.shadow import Compared
from fraudwatch.samples import a_verdict
from fraudwatch.stack.foreground import JobResult
from fraudwatch.stack.home import ROOT, Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(root=ROOT, runtime=tmp_path / "runtime", folder=tmp_path / "home")
    monkeypatch.setattr(Home, "from_environment", classmethod(lambda _: made))
    return made


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryShadowStore:
    twin = MemoryShadowStore()

    @contextmanager
    def opened(_: Home) -> Iterator[MemoryShadowStore]:
        yield twin

    monkeypatch.setattr(command, "_open_reader", opened)
    return twin


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command.shadow, arguments, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.stdout


def audited(home: Home) -> list[AuditRecord]:
    entries = JsonlJournal(home.folder / "console" / OUTBOX_FILE).entries()
    return [decode(AuditRecord, entry["record"].encode()) for entry in entries]


def test_a_policy_is_started_and_stopped(home: Home) -> None:
    started = json.loads(run("start", "--policy", "default", "--since-hours", "2", "--json"))
    found = current_comparison(home.folder / "candidate")
    assert found is not None
    assert found.comparison_id == started["comparison_id"]
    assert found.started_at_ms - found.from_at_ms == 7_200_000
    assert found.policy_version is not None
    assert found.model_version is None
    assert json.loads(run("stop", "--json")) == {"stopped": True}
    assert json.loads(run("stop", "--json")) == {"stopped": False}
    # The audit log has what was done, once each, and by which user of the system.
    subject = f"{found.comparison_id}: policy {found.policy_version}"
    assert [(one.deed, one.subject) for one in audited(home)] == [
        (AuditAction.SHADOW_STARTED, subject),
        (AuditAction.SHADOW_STOPPED, subject),
    ]
    assert all(getpass.getuser() in one.reason for one in audited(home))


@pytest.mark.parametrize("arguments", [[], ["--policy", "/nowhere.yaml"]])
def test_what_cannot_be_compared_is_a_usage_error(home: Home, arguments: list[str]) -> None:
    run("start", *arguments, code=2)
    assert current_comparison(home.folder / "candidate") is None
    assert audited(home) == []


def test_a_broken_candidate_is_stopped_and_recorded(home: Home) -> None:
    folder = home.folder / "candidate"
    folder.mkdir(parents=True)
    (folder / "candidate.json").write_text("{")
    assert json.loads(run("stop", "--json")) == {"stopped": True}
    assert [one.deed for one in audited(home)] == [AuditAction.SHADOW_STOPPED]


def test_a_model_is_restored_from_the_registry_first(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def answer(_h: object, _c: object, name: str, arguments: list[str], _: object) -> Any:
        calls.append([name, *arguments])
        return JobResult(0, {"sha256": "a" * 64, "calibration": "b" * 64})

    monkeypatch.setattr(command, "run_in_foreground", answer)
    run("start", "--model", "3", code=2)  # its files are not there
    assert calls == [["registry", "restore", "3"]]
    assert current_comparison(home.folder / "candidate") is None


def test_status_of_nothing(home: Home, store: MemoryShadowStore) -> None:
    assert json.loads(run("status", "--json")) == {"is_running": False}
    assert home.folder
    assert store.is_reachable


def test_status_has_the_numbers_also_of_a_stopped_comparison(
    home: Home, store: MemoryShadowStore
) -> None:
    run("start", "--policy", "default")
    comparison = current_comparison(home.folder / "candidate")
    assert comparison is not None
    store.begin(comparison)
    live = a_verdict(outcome=Outcome.REVIEW)
    other = a_verdict(outcome=Outcome.DECLINE)
    counted = store.load(comparison.comparison_id, 0)
    Comparing(store, counted).count([ShadowRow(Compared(live, other), 0, 0)])
    running = json.loads(run("status", "--json"))
    assert running["is_running"]
    assert (running["compared"], running["different"]) == (1, 1)
    assert running["declined"] == {"live": 0, "candidate": 1}
    assert "compared 1, other outcome 1" in run("status")
    run("stop")
    assert json.loads(run("status", "--json")) == running | {"is_running": False}
