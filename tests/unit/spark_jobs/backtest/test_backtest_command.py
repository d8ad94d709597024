from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.adapters.artefacts.policy_file import find_policy
from fraudwatch.cli import backtest as command
from fraudwatch.domain.policy.policy import BrokenPolicy
from fraudwatch.stack.foreground import JobResult
from fraudwatch.stack.home import ROOT

DAYS = ("--from", "2026-11-01", "--until", "2026-11-03")
app = typer.Typer()
app.command()(command.backtest)


@pytest.fixture
def job_arguments(monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]) -> list[str]:
    """Fake the job, which returns the document; record its arguments."""
    received: list[str] = []

    def run(_p: object, _c: object, name: str, arguments: list[str], _print: object) -> JobResult:
        assert name == "backtest"
        received[:] = arguments
        return JobResult(0, document | {"page": "/home/x/backtests/a.html"})

    monkeypatch.setattr(command, "run_in_foreground", run)
    return received


def test_the_command_runs_the_job_and_prints_its_document(
    job_arguments: list[str], document: dict[str, Any]
) -> None:
    shown = CliRunner().invoke(app, ["default", *DAYS, "--json"])
    assert json.loads(shown.stdout) == document | {"page": "/home/x/backtests/a.html"}
    path = str(ROOT / "contracts/policies/default.yaml")
    assert job_arguments == ["--policy", path, *DAYS, "--json"]
    text = CliRunner().invoke(app, ["default", *DAYS]).stdout
    assert "file:///home/x/backtests/a.html" in text
    assert "alerts of both 2, of the candidate alone 1, of the live policy alone 1" in text


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("nobody", *DAYS), "there is default"),
        (("{broken}", *DAYS), "there is no rule 'magic'"),
        (("default", "--from", "2026-11-03", "--until", "2026-11-01"), "swap them"),
    ],
)
def test_invalid_arguments_are_refused_before_the_job_runs(
    job_arguments: list[str], tmp_path: Path, words: tuple[str, ...], error: str
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text('version: "1"\nrules: {magic: {points: 1}}\nrisk: {}\nreview: {}\n')
    shown = CliRunner().invoke(app, [word.format(broken=broken) for word in words])
    assert shown.exit_code == 2
    assert error in " ".join(shown.stderr.split())
    assert job_arguments == []


def test_the_command_has_help_with_an_example() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "fraudwatch.cli", "backtest", "--help"],
        check=True, capture_output=True, text=True, cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "100"},
    )  # fmt: skip
    assert "Example: ./fraudwatch backtest default" in shown.stdout


def test_a_policy_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/mine.yaml").write_text("version: x")
    folder = tmp_path / "policies"
    assert find_policy("mine", folder) == find_policy(str(folder / "mine.yaml"), Path("/"))
    with pytest.raises(BrokenPolicy, match="there is mine"):
        find_policy("../policies/mine", folder)


def test_the_job_refuses_a_missing_policy() -> None:
    command_line = [
        sys.executable,
        "-m",
        "spark_jobs.backtest.backtest_policy",
        "--policy",
        "nobody",
        *DAYS,
    ]
    done = subprocess.run(command_line, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "nothing was scored: there is no file" in done.stderr.splitlines()[-1]


def test_a_pasted_policy_is_checked_without_spark() -> None:
    text = (ROOT / "contracts/policies/default.yaml").read_text(encoding="utf-8")
    command_line = [sys.executable, "-m", "spark_jobs.backtest.backtest_policy", "--check", *DAYS]
    environment = {name: value for name, value in os.environ.items() if "LAKE" not in name}
    done = subprocess.run(
        [*command_line, f"--policy-text={text}"],
        check=False, capture_output=True, text=True, cwd=ROOT, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    broken = subprocess.run(
        [*command_line, "--policy-text=rules: ["],
        check=False, capture_output=True, text=True, cwd=ROOT, env=environment,
    )  # fmt: skip
    assert (broken.returncode, "is no YAML" in broken.stderr) == (2, True)
