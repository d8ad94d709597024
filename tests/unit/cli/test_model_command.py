from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.edge.airflow_answers import Run
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.console.audit_outbox import OUTBOX_FILE
from fraudwatch.cli import bootstrap_model, model
from fraudwatch.cli.model import app
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.stack import catalogue
from fraudwatch.stack.foreground import JobResult
from fraudwatch.stack.home import ROOT, Home

VERSION: dict[str, Any] = {
    "version": 2,
    "sha256": "ab" * 32,
    "created_at_ms": 1_768_478_400_000,
    "promoted_at_ms": 1_768_478_500_000,
    "aliases": ["champion"],
    "is_in_use": True,
    "tags": {"features_version": "0123", "gate": "better"},
    "metrics": {"xgboost.average_precision.mean": 0.7512, "gate.days": 7.0},
}
WAITING = {
    **VERSION,
    "version": 3,
    "aliases": ["challenger"],
    "sha256": "cd" * 32,
    "is_in_use": False,
    "promoted_at_ms": None,
    "metrics": {},
}
FORMER = {**VERSION, "version": 1, "aliases": [], "is_in_use": False}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(root=ROOT, runtime=tmp_path / "runtime", folder=tmp_path / "home")
    monkeypatch.setattr(Home, "from_environment", classmethod(lambda _: made))
    return made


@pytest.fixture
def registry_calls(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Arguments that the fake registry job was called with."""
    assert not home.folder.exists()
    calls: list[list[str]] = []

    def answer(
        _home: object, _catalogue: object, name: str, arguments: list[str], _: object
    ) -> Any:
        assert name == "registry"
        calls.append(arguments)
        if arguments == ["ls"]:
            return JobResult(
                0,
                {
                    "in_use": VERSION["sha256"],
                    "canary": WAITING["sha256"],
                    "versions": [WAITING, VERSION, FORMER],
                },
            )
        return JobResult(0, VERSION)

    monkeypatch.setattr(model, "run_in_foreground", answer)
    return calls


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_list_shows_the_active_model_and_the_challenger(
    registry_calls: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    shown = run("ls") + capfd.readouterr().out
    lines = [line.split() for line in shown.splitlines()]
    assert [line[0] for line in lines] == ["3", "2", "1"]
    assert "challenger canary" in " ".join(lines[0])
    assert "champion active" in " ".join(lines[1])
    assert "0.751" in lines[1]
    assert "used from" in " ".join(lines[2])
    assert registry_calls == [["ls"]]


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        (("show", "2"), ["show", "2"]),
        (("approve", "2"), ["approve", "2"]),
        (("rollback",), ["rollback"]),
        (("rollback", "2"), ["rollback", "2"]),
        (("canary", "3"), ["canary", "3", "5"]),
        (("canary", "3", "--share-percent", "12.5"), ["canary", "3", "12.5"]),
        (("end-canary",), ["end-canary"]),
    ],
)
def test_each_command_calls_the_registry_and_prints_one_object(
    registry_calls: list[list[str]],
    capfd: pytest.CaptureFixture[str],
    given: tuple[str, ...],
    arguments: object,
) -> None:
    printed = run(*given, "--json") + capfd.readouterr().out
    assert json.loads(printed) == VERSION
    assert "2" in run(*given) + capfd.readouterr().out
    assert registry_calls == [arguments, arguments]


def test_every_command_has_help_with_an_example() -> None:
    for name in ("fit", "ls", "show", "approve", "rollback"):
        assert f"Example: ./fraudwatch model {name}" in run(name, "--help")


def test_the_registry_is_a_service_of_the_catalogue() -> None:
    service = catalogue.load().services[model.REGISTRY]
    assert service.command == "{python} -m batch.models"
    assert service.environment_name == "lake"


def a_run(name: str, run_id: str = "manual", state: str = "queued") -> Run:
    return Run(name, run_id, state, None, None, {})


class Airflow:
    """A fake Airflow: the final state of each DAG's run, and the existing runs."""

    def __init__(self, states: Mapping[str, str], there: Sequence[Run] = ()) -> None:
        self.states, self.there, self.started = states, there, list[str]()

    def runs(self, name: str, _: int) -> list[Run]:
        return [run for run in self.there if run.dag == name]

    def trigger(self, name: str, _: object) -> Run:
        self.started.append(name)
        return a_run(name)

    def page_of(self, name: str, _: str) -> str:
        return f"http://127.0.0.1/{name}"


@pytest.mark.parametrize(
    ("states", "started"),
    [
        ({}, ["archive_topics", "train_model"]),
        ({"archive_topics": "failed"}, ["archive_topics"]),
        ({"train_model": "failed"}, ["archive_topics", "train_model"]),
    ],
)
def test_the_training_starts_after_the_archive(
    monkeypatch: pytest.MonkeyPatch, states: dict[str, str], started: list[str]
) -> None:
    airflow, messages = Airflow(states), list[str]()
    train(monkeypatch, airflow, messages)
    assert airflow.started == started
    assert len(messages) == len(started)


def test_an_active_run_is_watched_instead_of_starting_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = [a_run("archive_topics", "now", "running"), a_run("train_model", "old", "failed")]
    airflow, messages = Airflow({}, there), list[str]()
    assert train(monkeypatch, airflow, messages) == ["now", "manual"]
    assert airflow.started == ["train_model"]


def train(monkeypatch: pytest.MonkeyPatch, airflow: Airflow, messages: list[str]) -> list[str]:
    """Train the first champion; return the runs that were watched."""
    watched: list[str] = []

    class Watched:
        def __init__(self, airflow: Airflow, run: Run, *_: object) -> None:
            watched.append(run.run_id)
            self.state = airflow.states.get(run.dag, "success")

        def until_ended(self) -> dict[str, str]:
            return {"state": self.state}

    monkeypatch.setattr(bootstrap_model.dag_runs, "Watch", Watched)
    bootstrap_model.train_first_champion(airflow, messages.append)  # type: ignore[arg-type]
    return watched


@pytest.mark.parametrize(
    ("given", "action", "subject"),
    [
        (("approve", "3"), AuditAction.MODEL_APPROVED, "model version 3"),
        (("rollback",), AuditAction.MODEL_ROLLED_BACK, "model version before the champion"),
        (("canary", "3"), AuditAction.CANARY_STARTED, "model version 3, 5 %"),
        (("end-canary",), AuditAction.CANARY_ENDED, "the canary"),
    ],
)
@pytest.mark.usefixtures("registry_calls")
def test_each_change_has_an_audit_record(
    home: Home, given: tuple[str, ...], action: AuditAction, subject: str
) -> None:
    run(*given)
    run("ls")
    [entry] = JsonlJournal(home.folder / "console" / OUTBOX_FILE).entries()
    record = decode(AuditRecord, entry["record"].encode())
    assert (record.deed, record.by, record.subject) == (action, "operator", subject)
