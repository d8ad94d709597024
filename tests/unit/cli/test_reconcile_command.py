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
from fraudwatch.stack.foreground import JobResult, command_of, environment_of
from fraudwatch.stack.home import MARK_VARIABLE, ROOT, Home
from fraudwatch.stack.launches import all_launches
from tests.unit.cli.conftest import JobRun, fake_reporting_job

DOCUMENT = {"date": "2026-11-20", "ok": False, "said": "2026-11-20: stream and batch differ"}


def run_command(
    monkeypatch: pytest.MonkeyPatch, ended: JobResult, *options: str
) -> tuple[int, str]:
    """Run the command with a fake job result; return its exit code and output."""
    runs = fake_reporting_job(monkeypatch, ended)
    app = typer.Typer()
    app.command()(reconcile.reconcile)
    shown = CliRunner().invoke(app, ["--date", "2026-11-20", *options])
    assert runs == [JobRun("reconcile", ("--date", "2026-11-20", "--json"), (0, 3))]
    if shown.exception and not isinstance(shown.exception, SystemExit):
        raise shown.exception
    return shown.exit_code, shown.output


@pytest.mark.parametrize("code", [0, 3])
def test_the_jobs_document_is_printed_and_its_exit_code_is_returned(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    found, shown = run_command(monkeypatch, JobResult(code, DOCUMENT), "--json")
    assert (found, json.loads(shown)) == (code, DOCUMENT)


def test_without_json_the_summary_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = run_command(monkeypatch, JobResult(3, DOCUMENT))
    assert code == 3
    assert DOCUMENT["said"] in shown + capsys.readouterr().out


def test_help_has_an_example_and_nothing_runs_without_a_stack(tmp_path: Path) -> None:
    environment = {**os.environ, "FRAUDWATCH_HOME": str(tmp_path), "NO_COLOR": "1"}
    for arguments, code, text in (
        (["--help"], 0, "Example: ./fraudwatch reconcile --date"),
        (["--date", "2026-11-20"], 1, "which do not run in this home"),
        (["--date", "yesterday"], 2, "yesterday"),
    ):
        shown = subprocess.run(
            [sys.executable, "-m", "fraudwatch.cli", "reconcile", *arguments],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert shown.returncode == code
        assert text in shown.stdout + shown.stderr


def test_the_job_has_its_own_settings_and_a_read_only_role(tmp_path: Path) -> None:
    home = Home(root=ROOT, runtime=tmp_path / ".runtime", folder=tmp_path / "home")
    home.make_folders()
    settings = env_file.ensure(home)
    launch = all_launches(home, catalogue.load(), settings, tmp_path / "java")["reconcile"]
    command = command_of(launch, ["--date", "2026-11-20"])
    assert command[:3] == ["nice", "-n", "10"]
    assert command[-4:] == ["-m", "spark_jobs.reconcile.reconcile_views", "--date", "2026-11-20"]
    environment = environment_of(home, launch)
    assert environment["CASSANDRA_USERNAME"] == "reconciler"
    assert environment["CASSANDRA_PASSWORD"] == settings["CASSANDRA_RECONCILER_PASSWORD"]
    assert environment["BOOKS_DETECTOR_FOLDER"] == str(home.folder / "detector")
    assert environment["RECONCILE_MOST_DIFFERENT"] == "0"
    assert environment[MARK_VARIABLE] == home.mark
