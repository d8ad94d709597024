from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fraudwatch.application.promotion.promote import ChampionChanged, RegistryUnavailable
from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.domain.models.fitted import BrokenModel
from spark_jobs.train import train_model
from spark_jobs.train.promotion import Outcome
from spark_jobs.train.report import Report
from spark_jobs.train.train_model import NOT_ENOUGH, Asked, parsed
from spark_jobs.train.trigger_policy import Reason

Run = Callable[..., int]


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[JobOutcome]:
    """What the command leaves behind; Spark and the registry are never opened."""
    rows: list[JobOutcome] = []
    for name, value in {
        "LAKE_FILE_SYSTEM": tmp_path.as_uri(),
        "TRAINING_MODELS_FOLDER": str(tmp_path / "models"),
        "MLFLOW_TRACKING_URI": "sqlite:////nowhere",
        "MLFLOW_ARTIFACTS_FOLDER": str(tmp_path / "kept"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(train_model, "open_lake", lambda *_: None)
    monkeypatch.setattr(train_model, "models_of", lambda *_: None)
    monkeypatch.setattr(train_model, "append_outcomes", lambda _, found: rows.extend(found))
    return rows


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, ledger: list[JobOutcome]) -> Run:
    """The command, where the training ends like this."""
    assert not ledger

    def command(ended: Report | Exception, *arguments: str) -> int:
        def ends(_: object, asked: Asked) -> Report:
            assert asked.reason in Reason
            if isinstance(ended, Exception):
                raise ended
            return ended

        monkeypatch.setattr(train_model.Training, "run", ends)
        monkeypatch.setattr("sys.argv", ["train_model", *arguments])
        return train_model.main()

    return command


@pytest.mark.parametrize(
    ("outcome", "arguments", "code"),
    [
        (Outcome.PROMOTED, (), 0),
        (Outcome.NOT_BETTER, (), 0),
        (Outcome.WAITS, ("--approval", "yes"), 0),
        (Outcome.NOT_WANTED, ("--reason", "drift"), 0),
        (Outcome.NOT_ENOUGH, (), NOT_ENOUGH),
        (Outcome.NOT_ENOUGH, ("--if-possible",), 0),
    ],
)
def test_the_exit_code_says_how_it_ended(
    run: Run,
    ledger: list[JobOutcome],
    capsys: pytest.CaptureFixture[str],
    outcome: Outcome,
    arguments: tuple[str, ...],
    code: int,
) -> None:
    report = Report(outcome=outcome, because="so it is", details={"best_model": float("nan")})
    assert run(report, *arguments, "--json") == code
    [line] = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["outcome"], told["because"], told["best_model"]) == (outcome, "so it is", None)
    [row] = ledger
    assert (row.job, row.rows_out) == ("train_model", 0)


@pytest.mark.parametrize("error", [BrokenModel, ChampionChanged, RegistryUnavailable])
def test_a_failure_has_a_sentence_and_leaves_no_outcome(
    run: Run,
    ledger: list[JobOutcome],
    capsys: pytest.CaptureFixture[str],
    error: type[Exception],
) -> None:
    assert run(error("nothing was changed")) == 1
    assert ledger == []
    said = capsys.readouterr()
    assert said.out == ""
    assert "nothing was changed" in said.err


def test_what_is_asked_for() -> None:
    asked = parsed(["--from", "2026-11-01", "--until=2026-11-20", "--reason=schedule"])
    assert (asked.first, asked.last) == (date(2026, 11, 1), date(2026, 11, 20))
    assert (asked.reason, asked.approval, asked.if_possible) == (Reason.SCHEDULE, None, False)
    with pytest.raises(SystemExit):
        parsed(["--reason", "boredom"])
