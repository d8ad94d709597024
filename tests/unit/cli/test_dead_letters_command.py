from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.kafka_log.replayed_file import ReplayedFile
from fraudwatch.adapters.quota_folder import FOLDER, QuotaFolder
from fraudwatch.application.dead_letters.dlq import DlqRecord, ReplayResult, ReplayState
from fraudwatch.application.dead_letters.quota import QuotaState
from fraudwatch.cli.dlq_table import as_row, as_table, printable, result_line
from fraudwatch.samples import NOON_MS
from fraudwatch.stack.home import ROOT


def a_record(**changes: Any) -> DlqRecord:
    usual: dict[str, Any] = {
        "stage": "ingest",
        "origin": "feed:1",
        "code": "out_of_bounds",
        "reason": "currency does not match [A-Z]{3}",
        "at_ms": NOON_MS,
        "payload_bytes": 70_000,
        "payload_sha256": "0" * 64,
        "partition": 0,
        "offset": 0,
    }
    return DlqRecord(**(usual | changes))


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FRAUDWATCH_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "fraudwatch.cli", "dead-letters", *arguments],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_table_keeps_ids_and_reasons_whole(tmp_path: Path) -> None:
    nothing = ReplayedFile(tmp_path / "replayed.jsonl")
    rows = [
        as_row(a_record(), nothing),
        as_row(a_record(stage="persister", origin="transaction_topic-0-17"), nothing),
    ]
    heading, first, second = as_table(rows)
    assert heading.split() == ["id", "code", "stage", "when", "bytes", "replayed", "reason"]
    assert first.endswith("70000  no        currency does not match [A-Z]{3}")
    assert second.startswith("persister:transaction_topic-0-17  out_of_bounds  persister  2026-01")
    assert as_table([]) == []


def test_control_characters_are_not_printed() -> None:
    assert printable("a\x1b[2Jb\x00\x07\u202ec\td\né") == "a\ufffd[2Jb\ufffd\ufffd\ufffdc\td\né"
    line = result_line(
        ReplayResult(a_record(origin="feed:\x1b]0;x"), ReplayState.NOT_REPLAYABLE, "it was\rcut")
    )
    assert line == "stays        ingest:feed:\ufffd]0;x  it was\ufffdcut"


def test_every_command_has_help_with_an_example(tmp_path: Path) -> None:
    for command in ("ls", "show", "replay", "paused", "resume"):
        shown = run(tmp_path, command, "--help")
        assert shown.returncode == 0
        assert f"Example: ./fraudwatch dead-letters {command}" in " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    "wrong",
    [
        ("nonsense",),
        ("ls", "--stage", "shop"),
        ("ls", "--code", "odd"),
        ("ls", "--limit", "0"),
        ("show",),
    ],
)
def test_wrong_usage_is_reported_on_stderr_with_exit_code_two(
    tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    shown = run(tmp_path, *wrong)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr


def test_a_home_never_started_is_reported_with_the_fix_and_nothing_is_created(
    tmp_path: Path,
) -> None:
    shown = run(tmp_path / "home", "ls", "--json")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "./fraudwatch up" in shown.stderr
    assert not (tmp_path / "home").exists()


def test_an_unreachable_broker_is_reported_with_the_fix(tmp_path: Path) -> None:
    secret = "0123456789abcdef0123"
    text = f"KAFKA_ADMIN_PASSWORD={secret}\nINGEST_API_KEY={secret}\nFRAUDWATCH_PORT_OFFSET=51000\n"
    (tmp_path / ".env").write_text(text)
    shown = run(tmp_path, "ls")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "./fraudwatch status" in shown.stderr
    assert secret not in shown.stderr


def test_a_paused_source_is_listed_and_resumed_once(tmp_path: Path) -> None:
    assert "no source is paused" in run(tmp_path, "paused").stderr
    quotas = QuotaFolder(tmp_path / "ingest" / FOLDER), QuotaFolder(tmp_path / "detector" / FOLDER)
    for folder, source in zip(quotas, ("feed", "detector"), strict=True):
        folder.write(QuotaState(source=source, reason="140 of 600", paused_at_ms=NOON_MS))
    listed = json.loads(run(tmp_path, "paused", "--json").stdout)["paused"]
    assert [one["source"] for one in listed] == ["feed", "detector"]

    resumed = run(tmp_path, "resume", "detector", "--minutes", "5")
    assert (resumed.returncode, "./fraudwatch up" in resumed.stderr) == (0, True)
    assert "feed since" in run(tmp_path, "paused").stdout
    again = run(tmp_path, "resume", "detector")
    assert again.returncode == 1
    assert "detector is not paused, so nothing was changed" in " ".join(again.stderr.split())
    state = quotas[1].read("detector")
    assert state is not None
    assert state.resumed_until_ms is not None
    assert quotas[0].read("feed") == QuotaState(
        source="feed", reason="140 of 600", paused_at_ms=NOON_MS
    )
