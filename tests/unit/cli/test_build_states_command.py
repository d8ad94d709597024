from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from fraudwatch.cli import build_states, reporting_job
from fraudwatch.stack.foreground import JobResult

DOCUMENT = {"date": "2026-11-20", "customers": 3, "text": "the state of 3 customers is published"}


@pytest.mark.parametrize(
    ("options", "more"), [((), ()), (("--from-archive-start",), ("--from-archive-start",))]
)
def test_the_day_is_passed_to_the_job_and_its_sentence_is_printed(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], more: tuple[str, ...]
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
        assert accepted_codes == (0,)
        calls.append((name, *given))
        return JobResult(0, DOCUMENT)

    monkeypatch.setattr(reporting_job, "run_in_foreground", run)
    app = typer.Typer()
    app.command()(build_states.build_states)
    plain = CliRunner().invoke(app, ["--date", "2026-11-20", *options])
    assert (plain.exit_code, plain.stdout.strip()) == (0, DOCUMENT["text"])
    as_json = CliRunner().invoke(app, ["--date", "2026-11-20", "--json", *options])
    assert json.loads(as_json.stdout) == DOCUMENT
    assert calls == [("build_states", "--date", "2026-11-20", *more, "--json")] * 2
