from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from batch.check_day import EXIT_CODES, NOTHING_TO_CHECK, main
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.lake.folder_files import FolderFiles
from fraudwatch.application.extract.check_day import DayCheck
from fraudwatch.domain.lake.day_extract import MANIFEST_NAME, REJECTED_NAME, ExtractManifest
from fraudwatch.domain.messages.transaction import Kind, Transaction
from fraudwatch.lake import extract_folder
from fraudwatch.samples import NOON_MS, a_transaction

DAY = date(2026, 1, 15)
MIDNIGHT_AFTER_MS = NOON_MS + 12 * 3_600_000


def a_manifest(**changes: Any) -> ExtractManifest:
    usual = ExtractManifest(
        day=DAY.isoformat(),
        purchases=10,
        amount_minor_by_currency={"EUR": 25_900},
        checksum_sha256="0" * 64,
        pages=1,
        accepted=10,
        rejected={},
        files=("transactions-00001.jsonl", "transactions-00002.jsonl"),
        run_id="run",
        began_at_ms=MIDNIGHT_AFTER_MS,
        ended_at_ms=MIDNIGHT_AFTER_MS + 1,
        code_version="test",
    )
    return replace(usual, **changes)


def bought(number: int, **changes: Any) -> Transaction:
    return a_transaction(transaction_id=f"shop:{number}", **changes)


class Lake:
    """Extracted days in a lake, and the command that checks one."""

    def __init__(self, folder: Path) -> None:
        self.files = FolderFiles(folder)
        self.lines = [encode(bought(number)) for number in range(10)]
        self.rejected = 0

    def put(self, manifest: ExtractManifest) -> None:
        folder = extract_folder(date.fromisoformat(manifest.day))
        half = len(self.lines) // 2
        for name, lines in zip(
            manifest.files, (self.lines[:half], self.lines[half:]), strict=False
        ):
            self.files.write(f"{folder}/{name}", [line + b"\n" for line in lines])
        self.files.write(f"{folder}/{REJECTED_NAME}", [b"{}\n"] * self.rejected)
        self.files.write(f"{folder}/{MANIFEST_NAME}", [encode(manifest)])

    def put_before(self, *counts: int) -> None:
        for back, count in enumerate(counts, start=1):
            day = (DAY - timedelta(days=back)).isoformat()
            self.files.write(
                f"{extract_folder(date.fromisoformat(day))}/{MANIFEST_NAME}",
                [encode(a_manifest(day=day, purchases=count))],
            )


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("LAKE_FILE_SYSTEM", tmp_path.as_uri())
    monkeypatch.delenv("LAKE_WEBHDFS_URL", raising=False)
    return Lake(tmp_path)


def checked(*more: str) -> int:
    return main(["--day", DAY.isoformat(), *more])


def failing(check: DayCheck, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """Return the sentence of the check that must fail."""
    assert checked(*more) == EXIT_CODES[check]
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"{check}: " in last
    assert "--again" in last
    return last


def test_a_good_day_passes(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.put(a_manifest())
    lake.put_before(10, 9, 12)
    assert checked() == 0
    assert capsys.readouterr().out == "2026-01-15 passes contract, freshness and volume\n"


def test_the_first_days_pass_with_a_note(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.put(a_manifest())
    lake.put_before(500, 500)
    assert checked("--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["failed"] == []
    assert document["notes"] == ["2 earlier days are too few to judge the volume of 2026-01-15 by"]


def test_a_day_without_complete_extract_cannot_be_checked(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked() == NOTHING_TO_CHECK
    lake.put(a_manifest())
    lake.files.remove(f"{extract_folder(DAY)}/transactions-00002.jsonl")
    assert checked() == NOTHING_TO_CHECK
    assert "a file of 2026-01-15 is missing" in capsys.readouterr().err


LINES = {
    "no JSON": (b'{"schema":', "line 10 .* is no transaction.v1"),
    "a field less": (b'{"schema":"transaction.v1"}', "is no transaction.v1: kind is missing"),
    "bounds": (encode(bought(9, currency="EURO")), "breaks its bounds: currency does not match"),
    "an erasure": (encode(bought(9, kind=Kind.ERASE)), "kind is no purchase"),
    "another day": (encode(bought(9, event_at_ms=MIDNIGHT_AFTER_MS)), "outside its day"),
    "an id twice": (encode(bought(0)), "repeats an id"),
}


@pytest.mark.parametrize("name", LINES)
def test_every_line_keeps_the_contract(
    lake: Lake, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.lines[9], expected = LINES[name]
    lake.put(a_manifest())
    sentence = failing(DayCheck.CONTRACT, capsys)
    assert re.search(expected, sentence)


def test_counts_are_those_of_the_manifest(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.lines.pop()
    lake.put(a_manifest())
    assert "holds 9 transactions and 0 refused" in failing(DayCheck.CONTRACT, capsys)
    lake.rejected = 1
    lake.put(a_manifest(accepted=9, rejected={"out_of_bounds": 2}))
    assert "9 and 2 of 10" in failing(DayCheck.CONTRACT, capsys)


def test_refused_purchases_fail_the_contract(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.rejected = 1
    lake.put(a_manifest(purchases=11, rejected={"wrong_schema": 1}))
    sentence = failing(DayCheck.CONTRACT, capsys)
    assert "1 of 11 purchases of 2026-01-15 were refused (wrong_schema 1)" in sentence


def test_a_day_is_not_extracted_before_it_has_ended(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.put(a_manifest(began_at_ms=MIDNIGHT_AFTER_MS - 1))
    assert "before it had ended" in failing(DayCheck.FRESHNESS, capsys)


def test_a_folder_holds_its_own_day(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.put(a_manifest())
    other = encode(a_manifest(day="2026-01-14"))
    lake.files.write(f"{extract_folder(DAY)}/{MANIFEST_NAME}", [other])
    assert "is of another day" in failing(DayCheck.FRESHNESS, capsys)


@pytest.mark.parametrize("before", [(51, 51, 51), (1, 1, 1, 1)])
def test_much_less_or_much_more_than_usual_fails_unless_accepted(
    lake: Lake, before: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    lake.put(a_manifest())
    lake.put_before(*before)
    assert "--accept-volume" in failing(DayCheck.VOLUME, capsys)
    assert checked("--accept-volume") == 0


@pytest.mark.parametrize("before", [(50, 50, 50), (2, 2, 2)])
def test_the_bounds_themselves_pass(lake: Lake, before: tuple[int, ...]) -> None:
    lake.put(a_manifest())
    lake.put_before(*before)
    assert checked() == 0


def test_only_28_days_back_count(lake: Lake) -> None:
    lake.put(a_manifest())
    lake.put_before(*[10] * 28, *[1_000_000] * 30)
    assert checked() == 0


def test_a_day_without_purchases_after_days_with_some_fails(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.lines = []
    lake.put(a_manifest(purchases=0, accepted=0))
    lake.put_before(0, 3)
    assert "has no purchases while days before it had some" in failing(DayCheck.VOLUME, capsys)
    assert checked("--accept-volume") == 0


def test_an_empty_first_day_passes(lake: Lake) -> None:
    lake.lines = []
    lake.put(a_manifest(purchases=0, accepted=0))
    assert checked() == 0
    lake.put_before(0, 0, 0)
    assert checked() == 0
