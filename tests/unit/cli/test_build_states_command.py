from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.cli import build_states
from fraudwatch.stack.foreground import JobResult
from tests.unit.cli.conftest import JobRun, fake_reporting_job

DOCUMENT = {"date": "2026-11-20", "customers": 3, "text": "the state of 3 customers is published"}


@pytest.mark.parametrize(
    ("options", "more"), [((), ()), (("--from-archive-start",), ("--from-archive-start",))]
)
def test_the_day_is_passed_to_the_job_and_its_sentence_is_printed(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], more: tuple[str, ...]
) -> None:
    runs = fake_reporting_job(monkeypatch, JobResult(0, DOCUMENT))
    app = typer.Typer()
    app.command()(build_states.build_states)
    plain = CliRunner().invoke(app, ["--date", "2026-11-20", *options])
    assert (plain.exit_code, plain.stdout.strip()) == (0, DOCUMENT["text"])
    as_json = CliRunner().invoke(app, ["--date", "2026-11-20", "--json", *options])
    assert json.loads(as_json.stdout) == DOCUMENT
    assert runs == [JobRun("build_states", ("--date", "2026-11-20", *more, "--json"), (0,))] * 2
