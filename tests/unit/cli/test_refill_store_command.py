from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.cli import refill_store
from fraudwatch.stack.foreground import JobResult
from tests.unit.cli.conftest import JobRun, fake_reporting_job

DOCUMENT = {"topic": "fraud_topic", "written": 8, "missing": [], "text": "8 messages are written"}


@pytest.mark.parametrize("exit_code", [0, 3])
@pytest.mark.parametrize("options", [(), ("--accept-lost",)])
def test_the_topic_is_passed_to_the_job_and_its_sentence_is_printed(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], exit_code: int
) -> None:
    runs = fake_reporting_job(monkeypatch, JobResult(exit_code, DOCUMENT))
    app = typer.Typer()
    app.command()(refill_store.refill_store)
    plain = CliRunner().invoke(app, ["fraud_topic", *options])
    assert (plain.exit_code, plain.stdout.strip()) == (exit_code, DOCUMENT["text"])
    as_json = CliRunner().invoke(app, ["fraud_topic", "--json", *options])
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (exit_code, DOCUMENT)
    assert runs == [JobRun("refill_store", ("fraud_topic", *options, "--json"), (0, 3))] * 2
