from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.cli import reconcile
from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.foreground import Ended, command_of, environment_of
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.place import MARK_VARIABLE, ROOT, Place

TOLD = {"date": "2026-11-20", "ok": False, "said": "2026-11-20: stream and batch differ"}


def asked(monkeypatch: pytest.MonkeyPatch, ended: Ended, *options: str) -> tuple[int, str]:
    """The command with a job that has ended so; its exit code and what it printed."""
    seen: list[tuple[str, tuple[str, ...]]] = []

    def run(
        _place: object,
        _catalogue: object,
        name: str,
        arguments: list[str],
        _: object,
        *,
        good: tuple[int, ...],
    ) -> Ended:
        assert good == (0, 3)
        seen.append((name, tuple(arguments)))
        return ended

    monkeypatch.setattr(reconcile, "run_in_front", run)
    app = typer.Typer()
    app.command()(reconcile.reconcile)
    shown = CliRunner().invoke(app, ["--date", "2026-11-20", *options])
    assert seen == [("reconcile", ("--date", "2026-11-20", "--json"))]
    if shown.exception and not isinstance(shown.exception, SystemExit):
        raise shown.exception
    return shown.exit_code, shown.output


@pytest.mark.parametrize("code", [0, 3])
def test_the_jobs_document_is_printed_and_its_code_is_the_commands(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    found, shown = asked(monkeypatch, Ended(code, TOLD), "--json")
    assert (found, json.loads(shown)) == (code, TOLD)


def test_a_person_is_told_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = asked(monkeypatch, Ended(3, TOLD))
    assert code == 3
    assert TOLD["said"] in shown + capsys.readouterr().out


def test_help_has_an_example_and_nothing_runs_without_a_stack(tmp_path: Path) -> None:
    environment = {**os.environ, "FRAUDWATCH_HOME": str(tmp_path), "NO_COLOR": "1"}
    for arguments, code, said in (
        (["--help"], 0, "Example: ./fraudwatch reconcile --date"),
        (["--date", "2026-11-20"], 1, "which do not run in this home"),
        (["--date", "yesterday"], 2, "yesterday"),
    ):
        shown = subprocess.run(
            [sys.executable, "-m", "fraudwatch.cli", "reconcile", *arguments],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert shown.returncode == code
        assert said in shown.stdout + shown.stderr


def test_the_job_has_its_own_settings_and_a_role_that_may_only_read(tmp_path: Path) -> None:
    place = Place(root=ROOT, runtime=tmp_path / ".runtime", home=tmp_path / "home")
    place.make_folders()
    settings = env_file.ensure(place)
    launch = all_launches(place, catalogue.load(), settings, tmp_path / "java")["reconcile"]
    command = command_of(launch, ["--date", "2026-11-20"])
    assert command[:3] == ["nice", "-n", "10"]
    assert command[-4:] == ["-m", "spark_jobs.reconcile.reconcile_views", "--date", "2026-11-20"]
    environment = environment_of(place, launch)
    assert environment["CASSANDRA_USERNAME"] == "reconciler"
    assert environment["CASSANDRA_PASSWORD"] == settings["CASSANDRA_RECONCILER_PASSWORD"]
    assert environment["BOOKS_DETECTOR_FOLDER"] == str(place.home / "detector")
    assert environment["RECONCILE_MOST_DIFFERENT"] == "0"
    assert environment[MARK_VARIABLE] == place.mark
