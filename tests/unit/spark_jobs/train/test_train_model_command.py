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
from spark_jobs.train.dataset import stray_days_sentence
from spark_jobs.train.promotion import TrainingOutcome
from spark_jobs.train.report import TrainingReport
from spark_jobs.train.train_model import NOT_ENOUGH, TrainingRequest, parse_arguments
from spark_jobs.train.trigger_policy import TrainingReason

Run = Callable[..., int]


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[JobOutcome]:
    """Record the command's job outcomes; Spark and the registry are never opened."""
    rows: list[JobOutcome] = []
    for name, value in {
        "LAKE_FILE_SYSTEM": tmp_path.as_uri(),
        "TRAINING_MODELS_FOLDER": str(tmp_path / "models"),
        "TRAINING_POLICY_PATH": str(tmp_path / "policy.yaml"),
        "MLFLOW_TRACKING_URI": "sqlite:////nowhere",
        "MLFLOW_ARTIFACTS_FOLDER": str(tmp_path / "kept"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(train_model, "open_lake", lambda *_: None)
    monkeypatch.setattr(train_model, "models_of", lambda *_: None)
    monkeypatch.setattr(train_model, "publish_summary", lambda _: None)
    monkeypatch.setattr(train_model, "append_outcomes", lambda _, found: rows.extend(found))
    return rows


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, ledger: list[JobOutcome]) -> Run:
    """Run the command with a training that ends as given."""
    assert not ledger

    def command(ended: TrainingReport | Exception, *arguments: str) -> int:
        def ends(_: object, asked: TrainingRequest) -> TrainingReport:
            assert asked.reason in TrainingReason
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
        (TrainingOutcome.PROMOTED, (), 0),
        (TrainingOutcome.NOT_BETTER, (), 0),
        (TrainingOutcome.WAITS, ("--approval", "yes"), 0),
        (TrainingOutcome.NOT_WANTED, ("--reason", "drift"), 0),
        (TrainingOutcome.NOT_ENOUGH, (), NOT_ENOUGH),
        (TrainingOutcome.NOT_ENOUGH, ("--if-possible",), 0),
    ],
)
def test_the_exit_code_says_how_it_ended(
    run: Run,
    ledger: list[JobOutcome],
    capsys: pytest.CaptureFixture[str],
    outcome: TrainingOutcome,
    arguments: tuple[str, ...],
    code: int,
) -> None:
    report = TrainingReport(
        outcome=outcome, because="so it is", details={"best_model": float("nan")}
    )
    assert run(report, *arguments, "--json") == code
    [line] = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert (document["outcome"], document["because"]) == (outcome, "so it is")
    assert document["best_model"] is None
    [row] = ledger
    assert (row.job, row.rows_out) == ("train_model", 0)


def test_stray_days_are_named_in_a_sentence(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    strays = stray_days_sentence({12_000: 1, 12_001: 4} | dict.fromkeys(range(13_000, 13_005), 2))
    assert run(TrainingReport(outcome=TrainingOutcome.NOT_BETTER, because="no", strays=strays)) == 0
    assert capsys.readouterr().out.endswith(
        ": no. Stray days before or after the history were left out: 2002-11-09 (1 purchase), "
        "2002-11-10 (4 purchases), 2005-08-05 (2 purchases), 2005-08-06 (2 purchases), "
        "2005-08-07 (2 purchases), 2 more\n"
    )
    assert stray_days_sentence({}) == ""


@pytest.mark.parametrize("error", [BrokenModel, ChampionChanged, RegistryUnavailable])
def test_a_failure_has_a_sentence_and_leaves_no_outcome(
    run: Run,
    ledger: list[JobOutcome],
    capsys: pytest.CaptureFixture[str],
    error: type[Exception],
) -> None:
    assert run(error("nothing was changed")) == 1
    assert ledger == []
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "nothing was changed" in printed.err


def test_the_arguments_are_parsed() -> None:
    arguments = parse_arguments(["--from", "2026-11-01", "--until=2026-11-20", "--reason=schedule"])
    assert (arguments.first, arguments.last) == (date(2026, 11, 1), date(2026, 11, 20))
    assert (arguments.reason, arguments.approval, arguments.if_possible) == (
        TrainingReason.SCHEDULE,
        None,
        False,
    )
    with pytest.raises(SystemExit):
        parse_arguments(["--reason", "boredom"])
