"""`replay --check` shows what rows become and sends nothing; a replay says what would go wrong."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from fraudwatch.adapters.datasets.mapping import load_mapping
from fraudwatch.adapters.newest_events_file import NewestEventsFile
from fraudwatch.application.replay.ports import ReplayFailed
from fraudwatch.cli.replay import replay
from fraudwatch.cli.replay_run import ReplayRun, Request

if TYPE_CHECKING:
    from tests.unit.application.replay.conftest import Clock, Edge, WriteMapping

app = typer.Typer()
app.command()(replay)
PEOPLE = (
    "id,at,who,card,amt,land\n"
    "t1,2026-01-03 10:00:00,jane.doe@example.org,4000001234567899,10.00,DE\n"
    "t2,2026-01-04 10:00:00,joan.roe@example.org,4000001234567881,20.50,FR\n"
)


def mapping_of(**keys: Any) -> dict[str, Any]:
    fields = {
        "source": "months",
        "id": "{row_number}",
        "event_at_ms": "{at}",
        "customer_id": "{who}",
        "amount_minor": "{amt}",
        "currency": "EUR",
        "payment_status": "approved",
        "channel": "present",
        "merchant_id": "m",
    }
    plain: dict[str, Any] = {"about": "", "never_read": [], "amount": "major"}
    plain |= {"time": {"text": "%Y-%m-%d %H:%M:%S"}}
    return plain | keys | {"fields": fields | keys.get("fields", {})}


FEBRUARY_13_MS, NEW_YEAR_2027_MS = 1_770_976_800_000, 1_798_761_600_000


@pytest.fixture
def months(tmp_path: Path, write_mapping: WriteMapping) -> tuple[Path, Path, Path]:
    january, february = tmp_path / "january.csv", tmp_path / "february.csv"
    january.write_text("at,who,amt\n2026-01-03 10:00:00,c1,10.00\n", encoding="utf-8")
    february.write_text("at,who,amt\n2026-02-13 10:00:00,c1,900.00\n", encoding="utf-8")
    return january, february, write_mapping(mapping_of())


def run(file: Path, mapping: Path, home: Path, edge: Edge, clock: Clock, **options: Any) -> str:
    printed = StringIO()
    request = Request(file=file, mapping=mapping, **options)
    console = Console(file=printed, width=500)
    one = ReplayRun(request, home, clock=clock, sleep=clock.sleep, console=console)
    one.perform(edge.client())
    one.print_summary()
    return printed.getvalue()


def check(file: Path, mapping: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FRAUDWATCH_HOME", str(home))
    return CliRunner().invoke(app, [str(file), "--mapping", str(mapping), "--check"])


def test_a_check_shows_every_field_and_no_personal_value_and_needs_no_platform(
    tmp_path: Path, write_mapping: WriteMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="utf-8")
    fields = {"id": "{id}", "card_number": "{card}", "billing_country": "{land}"}
    mapping = write_mapping(mapping_of(fields=fields))
    monkeypatch.setenv("COLUMNS", "200")
    done = check(path, mapping, tmp_path / "home", monkeypatch)
    assert done.exit_code == 0, done.stderr
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path / "home"))
    arguments = [str(path), "--mapping", str(mapping), "--check", "--json"]
    document = json.loads(CliRunner().invoke(app, arguments).stdout)
    becomes = {one["field"]: one["becomes"] for one in document["fields"]}
    assert becomes["amount_minor"] == "1000 to 2050 minor units of EUR"
    assert becomes["customer_id"] == "2 different, text, 20 characters"
    assert becomes["card_number"] == "2 different, digits, 16 characters"
    assert becomes["event_at_ms"] == "2026-01-03T10:00:00+00:00 to 2026-01-04T10:00:00+00:00"
    assert becomes["billing_country"] in ("DE 1x, FR 1x", "FR 1x, DE 1x")
    for shown in (done.stdout, json.dumps(document)):
        assert not any(secret in shown for secret in ("jane", "joan", "400000"))
    assert not (tmp_path / "home" / "replay").exists()


def test_a_check_counts_bad_rows_and_names_the_first(
    tmp_path: Path, write_mapping: WriteMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE.replace("20.50", "free").replace("2026-01-03", "soon"), encoding="utf-8")
    done = check(path, write_mapping(mapping_of()), tmp_path / "home", monkeypatch)
    assert done.exit_code == 1
    assert "row 1: event_at_ms (column at) is absent or no such time" in done.stdout
    assert "row 2: amount_minor (column amt) is no decimal number such as 12.34" in done.stdout


def test_a_check_of_a_file_that_does_not_fit_is_wrong_use(
    months: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months[0].write_bytes("at;who\n".encode("utf-16"))
    done = check(months[0], months[2], tmp_path, monkeypatch)
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_second_file_whose_ids_are_row_numbers_is_refused(
    months: tuple[Path, Path, Path],
    tmp_path: Path,
    edge: Edge,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    january, february, mapping = months
    run(january, mapping, tmp_path, edge, clock)
    with pytest.raises(ReplayFailed, match=r"would get the ids that january\.csv has"):
        run(february, mapping, tmp_path, edge, clock)
    assert edge.ids == ["1"]
    assert "would get the ids" in check(february, mapping, tmp_path, monkeypatch).stdout
    # The same file in another range has the same ids for the same rows.
    run(january, mapping, tmp_path, edge, clock, until_ms=1_800_000_000_000)
    run(february, mapping, tmp_path, edge, clock, repeat=True)


def test_ids_with_the_files_hash_differ_between_files(
    months: tuple[Path, Path, Path],
    write_mapping: WriteMapping,
    tmp_path: Path,
    edge: Edge,
    clock: Clock,
) -> None:
    mapping = write_mapping(mapping_of(fields={"id": "{file_hash}-{row_number}"}))
    for file in months[:2]:
        run(file, mapping, tmp_path, edge, clock)
    assert len(set(edge.ids)) == 2
    assert all(one.endswith("-1") for one in edge.ids)


def test_rows_that_would_be_too_late_are_counted_before_anything_is_sent(
    months: tuple[Path, Path, Path],
    write_mapping: WriteMapping,
    tmp_path: Path,
    edge: Edge,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    january, february, _ = months
    mapping = write_mapping(mapping_of(fields={"id": "{row_hash}"}))
    assert "too late" not in run(february, mapping, tmp_path, edge, clock)
    shown = check(january, mapping, tmp_path, monkeypatch).stdout
    assert "1 of 1 rows are more than 30 days older than the newest purchase" in shown
    assert len(edge.ids) == 1
    printed = run(january, mapping, tmp_path, edge, clock)
    assert printed.index("are too late") < printed.index("purchases sent")


def test_rows_that_are_too_late_beside_what_was_posted_are_counted(
    months: tuple[Path, Path, Path],
    write_mapping: WriteMapping,
    tmp_path: Path,
    edge: Edge,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    january, february, _ = months
    mapping = write_mapping(mapping_of(fields={"id": "{row_hash}"}))
    accepted, source = NewestEventsFile(tmp_path / "ingest"), load_mapping(mapping).fields["source"]
    accepted.folder.mkdir()
    accepted.write({"another": NEW_YEAR_2027_MS})
    assert "too late" not in check(january, mapping, tmp_path, monkeypatch).stdout
    accepted.write({"another": 1, source: FEBRUARY_13_MS})
    shown = check(january, mapping, tmp_path, monkeypatch).stdout
    assert "1 of 1 rows are more than 30 days older than the newest purchase" in shown
    assert "2026-02-13T10:00:00" in shown
    run(february, mapping, tmp_path, edge, clock)
    again = run(february, mapping, tmp_path, edge, clock, repeat=True)
    assert "too late" not in again, "the newest purchase is its own"
    printed = run(january, mapping, tmp_path, edge, clock)
    assert printed.index("are too late") < printed.index("purchases sent")
    accepted.path.write_text("{")
    assert accepted.read() == {}


def test_a_replay_prints_warnings_and_what_it_made_absent(
    tmp_path: Path, write_mapping: WriteMapping, edge: Edge, clock: Clock
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE.replace("4000001234567899", "3.70319E+15"), encoding="utf-8")
    keys = {"absent_if_invalid": ["card_number"], "fields": {"card_number": "{card}"}}
    printed = run(path, write_mapping(mapping_of(**keys)), tmp_path, edge, clock)
    assert "Column card has 1 numbers that a spreadsheet shortened" in printed
    assert "card_number was invalid in 1 rows, and so sent as absent." in printed
    assert edge.accepted[0].get("card_number") is None


def test_a_broken_clock_neither_ends_in_a_traceback_nor_makes_all_other_rows_late(
    tmp_path: Path,
    write_mapping: WriteMapping,
    edge: Edge,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {"time": {"epoch": "s"}, "fields": {"id": "{row_hash}"}}
    mapping = write_mapping(mapping_of(**keys))
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("at,who,amt\n1767434400,c1,1.00\n99999999999999,c1,1.00\n", encoding="utf-8")
    second.write_text("at,who,amt\n1767434401,c1,1.00\n", encoding="utf-8")
    done = check(first, mapping, tmp_path, monkeypatch)
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "ms since 1970" in done.stdout
    run(first, mapping, tmp_path, edge, clock, skip_bad_rows=True)
    assert "too late" not in run(second, mapping, tmp_path, edge, clock)
