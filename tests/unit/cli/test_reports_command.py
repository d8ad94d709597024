from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraudwatch.application.marts import MartsUnavailable, ReportQuery, ReportRows
from fraudwatch.cli import reports as command
from fraudwatch.lake import OUT_MONEY, REPORT_DAYS
from fraudwatch.stack.home import Home, StackError


class FakeReader:
    def __init__(self) -> None:
        self.queries: list[ReportQuery] = []

    def rows(self, query: ReportQuery) -> ReportRows:
        self.queries.append(query)
        return ReportRows(["event_on", "saved_eur_cents"], [[date(2026, 11, 20), None]])


@pytest.fixture
def fake_reader(monkeypatch: pytest.MonkeyPatch) -> FakeReader:
    made = FakeReader()
    monkeypatch.setattr(command, "reader", lambda _home: made)
    return made


def test_ls_lists_every_report() -> None:
    shown = CliRunner().invoke(command.reports, ["ls", "--json"])
    assert json.loads(shown.stdout)["reports"] == dict(REPORT_DAYS)


def test_show_prints_one_object_with_null_for_unknown(fake_reader: FakeReader) -> None:
    words = ["show", OUT_MONEY, "--from", "2026-11-01", "--until", "2026-11-20", "--json"]
    shown = CliRunner().invoke(command.reports, words)
    assert json.loads(shown.stdout) == {
        "report": OUT_MONEY,
        "rows": [{"event_on": "2026-11-20", "saved_eur_cents": None}],
    }
    assert fake_reader.queries == [
        ReportQuery(OUT_MONEY, date(2026, 11, 1), date(2026, 11, 20), 100)
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["core_labels"],
        [OUT_MONEY, "--from", "2026-11-20' OR 1=1"],
        [OUT_MONEY, "--from", "2026-11-20", "--until", "2026-11-19"],
        [OUT_MONEY, "--limit", "0"],
    ],
)
def test_an_invalid_query_is_wrong_usage_and_not_sent(
    fake_reader: FakeReader, words: list[str]
) -> None:
    assert CliRunner().invoke(command.reports, ["show", *words]).exit_code == 2
    assert fake_reader.queries == []


def test_an_unreachable_lake_is_reported_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def rows(self, query: ReportQuery) -> ReportRows:
            raise MartsUnavailable(f"{query.table}: away")

    monkeypatch.setattr(command, "reader", lambda _home: Away())
    shown = CliRunner().invoke(command.reports, ["show", OUT_MONEY])
    assert isinstance(shown.exception, StackError)


def test_a_home_without_a_login_is_reported_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path))
    with pytest.raises(StackError, match="--profile lake"):
        command.reader(Home.from_environment())
