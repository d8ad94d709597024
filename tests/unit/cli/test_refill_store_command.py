from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.cli import refill_store, reporting_job
from fraudwatch.stack.foreground import JobResult

DOCUMENT = {"topic": "fraud_topic", "written": 8, "missing": [], "text": "8 messages are written"}


@pytest.mark.parametrize("exit_code", [0, 3])
@pytest.mark.parametrize("options", [(), ("--accept-lost",)])
def test_the_topic_is_passed_to_the_job_and_its_sentence_is_printed(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], exit_code: int
) -> None:
    calls: list[tuple[str, ...]] = []

    def run(
        _home: object,
        _catalogue: object,
        name: str,
        given: list[str],
        _notify: object,
        *,
        accepted_codes: tuple[int, ...],
    ) -> JobResult:
        calls.append((name, *given))
        assert exit_code in accepted_codes
        return JobResult(exit_code, DOCUMENT)

    monkeypatch.setattr(reporting_job, "run_in_foreground", run)
    app = typer.Typer()
    app.command()(refill_store.refill_store)
    plain = CliRunner().invoke(app, ["fraud_topic", *options])
    assert (plain.exit_code, plain.stdout.strip()) == (exit_code, DOCUMENT["text"])
    as_json = CliRunner().invoke(app, ["fraud_topic", "--json", *options])
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (exit_code, DOCUMENT)
    assert calls == [("refill_store", "fraud_topic", *options, "--json")] * 2
