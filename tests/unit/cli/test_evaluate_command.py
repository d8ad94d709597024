from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.application.evaluation.ports import Verdicts
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.cli import evaluate as command
from fraudwatch.stack.home import ROOT, StackError
from tests.unit.application.evaluation.conftest import MAPPING, ROWS, InMemory, verdicts_on

if TYPE_CHECKING:
    from tests.unit.application.evaluation.conftest import Files, WriteFiles

app = typer.Typer()
app.command()(command.evaluate)
ALERT = {"outcome": "review", "score": 0.5, "rules": ("high_amount",)}


@pytest.fixture
def files(write_files: WriteFiles) -> Files:
    return write_files(ROWS)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Verdicts:
    """Every purchase has a verdict, and the expensive ones an alert."""
    given: dict[str, Any] = {f"test:t-a{i}": ALERT if i in {2, 3, 5} else {} for i in range(1, 7)}
    found = verdicts_on(given)

    @contextmanager
    def opened(_home: object) -> Iterator[InMemory]:
        yield InMemory(found)

    monkeypatch.setattr(command, "open_store", opened)
    return found


def evaluate(files: Files, *more: str) -> Any:
    words = ["--labels", str(files.labels), "--mapping", str(files.mapping), *more]
    return CliRunner().invoke(app, words)


@pytest.mark.usefixtures("store")
def test_json_is_exactly_one_object_and_days_are_utc_until_exclusive(files: Files) -> None:
    done = evaluate(files, "--from", "2020-01-02", "--until", "2020-01-03", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["from"], document["until"]) == ("2020-01-02", "2020-01-03")
    assert (document["transactions"], document["verdicts"], document["verdicts_elsewhere"]) == (
        2,
        2,
        4,
    )
    assert (document["first_judged_at"], document["last_judged_at"]) == (
        "2020-01-02T10:00:00+00:00",
        "2020-01-02T11:00:00+00:00",
    )
    assert document["average_precision"] == document["alert_recall"] == 1


@pytest.mark.usefixtures("store")
def test_without_json_the_result_is_a_table(files: Files) -> None:
    done = evaluate(files)
    assert done.exit_code == 0, done.stderr
    assert "ranked by" in done.stdout
    assert "No card is excluded beforehand" in done.stdout
    assert "reading labels.parquet" in done.stderr


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--from", "lately"], 2, "does not match"),
        (["--from", "2020-01-02", "--until", "2020-01-02"], 2, "--from must be before --until"),
    ],
)
def test_wrong_usage_has_exit_code_two(
    files: Files, options: list[str], code: int, sentence: str
) -> None:
    done = evaluate(files, *options)
    assert done.exit_code == code
    assert sentence in " ".join(done.stderr.replace("│", "").split())
    assert done.stdout == ""


@pytest.mark.usefixtures("store")
def test_a_mapping_without_a_label_or_no_file_is_wrong_usage(write_files: WriteFiles) -> None:
    done = evaluate(write_files(ROWS, {k: v for k, v in MAPPING.items() if k != "label"}))
    assert (done.exit_code, "label: is missing" in done.stderr) == (2, True)
    files = write_files(ROWS)
    files.labels.unlink()
    done = evaluate(files)
    assert (done.exit_code, "no such file" in done.stderr) == (2, True)


@pytest.mark.usefixtures("store")
def test_no_matching_purchase_is_a_failure_with_the_fix(files: Files) -> None:
    done = evaluate(files, "--from", "2030-01-01", "--json")
    assert isinstance(done.exception, StackError)
    assert "no labelled purchase in this interval" in str(done.exception)
    assert done.stdout == ""


def test_a_store_that_does_not_answer_is_a_failure(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_home: object) -> None:
        raise StoreUnavailable("Cassandra does not answer")

    monkeypatch.setattr(command, "open_store", away)
    assert isinstance(evaluate(files).exception, StackError)


def run(home: Path, *words: str, command: str = "evaluate") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FRAUDWATCH_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, "-m", "fraudwatch.cli", command, *words],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_help_has_an_example(tmp_path: Path) -> None:
    shown = run(tmp_path, "--help")
    assert shown.returncode == 0
    assert "Example: ./fraudwatch evaluate --labels" in shown.stdout
    assert "exclusive" in shown.stdout


def test_report_is_a_hidden_alias(tmp_path: Path) -> None:
    shown = run(tmp_path, "--help", command="report")
    assert shown.returncode == 0
    assert "Compare the stored verdicts" in shown.stdout
    commands = run(tmp_path, command="--help").stdout
    assert " evaluate " in commands
    assert " report " not in commands


def test_a_home_never_started_is_reported(tmp_path: Path, files: Files) -> None:
    shown = run(tmp_path, "--labels", str(files.labels), "--mapping", str(files.mapping), "--json")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "has no login for Cassandra" in shown.stderr
