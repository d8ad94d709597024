from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox
from fraudwatch.application.webhooks.ports import NewEvent
from fraudwatch.domain.webhooks.subscription import EventKind
from fraudwatch.samples import NOON_MS
from fraudwatch.stack.home import ROOT

COMMANDS = ("add", "list", "remove", "rotate", "replay", "dead-letters")
ADD = ("add", "https://shop.example/hooks", "--client", "shop", "--event", "verdict")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FRAUDWATCH_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "fraudwatch.cli", "webhooks", *arguments],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def _run_json(home: Path, *arguments: str) -> dict[str, Any]:
    shown = _run(home, *arguments, "--json")
    assert shown.returncode == 0, shown.stderr
    return dict(json.loads(shown.stdout))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(home: Path, command: str) -> None:
    shown = _run(home, command, "--help")
    assert shown.returncode == 0
    assert f"Example: ./fraudwatch webhooks {command}" in shown.stdout


def test_a_secret_is_shown_once_and_each_change_is_recorded(home: Path) -> None:
    added = _run_json(home, *ADD, "--event", "decision", "--source", "shop")
    assert added["secret"].startswith("whsec_")
    one = added["subscription_id"]
    path = home / "webhooks/subscriptions.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = _run(home, "list")
    assert one in shown.stdout
    assert "decision,verdict" in shown.stdout
    assert added["secret"] not in shown.stdout
    rotated = _run_json(home, "rotate", one)
    assert rotated["secret"] != added["secret"]
    [row] = _run_json(home, "list")["subscriptions"]
    assert (row["secrets_in_effect"], row["waiting"]) == (2, 0)
    _run_json(home, "remove", one)
    assert _run_json(home, "list") == {"subscriptions": []}
    journal = (home / "console/audit_outbox.jsonl").read_text().splitlines()
    records = [json.loads(json.loads(line)["record"]) for line in journal]
    assert [r["deed"] for r in records] == [
        "webhook_added",
        "webhook_secret_rotated",
        "webhook_removed",
    ]
    assert {r["by"] for r in records} == {"operator"}
    assert added["secret"] not in str(records)


def test_dead_letters_are_listed_and_replayed(home: Path) -> None:
    one = _run_json(home, *ADD)["subscription_id"]
    outbox = SqliteOutbox(home / "webhooks/outbox.sqlite3")
    event = NewEvent(
        subscription_id=one,
        webhook_id="w-1",
        kind=EventKind.VERDICT,
        transaction_id="shop:1",
        customer_token="a",
        body=b"{}",
    )
    outbox.add([event], NOON_MS)
    outbox.give_up("w-1", NOON_MS, "client_error: the client answered 400")
    shown = _run(home, "dead-letters", "--id", one)
    assert "w-1 shop:1 1 attempts, client_error: the client answered 400" in shown.stdout
    assert _run_json(home, "dead-letters", "--id", "other") == {"dead_letters": []}
    later = _run_json(home, "replay", one, "--since", "2026-01-16")
    assert later["queued"] == 0
    since = ("--since", "2026-01-15T13:00:00+01:00", "--dead-only")
    assert _run_json(home, "replay", one, *since)["queued"] == 1
    assert outbox.queue_lengths()[one].waiting == 1
    assert _run_json(home, "dead-letters") == {"dead_letters": []}


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("add", "http://127.0.0.1/", "--client", "a", "--event", "verdict"), 1, "https://"),
        (("add", "https://10.0.0.1/", "--client", "a", "--event", "verdict"), 1, "not public"),
        (("add", "https://shop.example/", "--client", "a", "--event", "alarm"), 2, "alarm"),
        (("remove", "nothing"), 1, "no subscription nothing"),
        (("replay", "nothing", "--since", "2026-01-15"), 1, "no subscription nothing"),
        (("replay", "nothing", "--since", "yesterday"), 2, "--since must be"),
    ],
)
def test_a_mistake_is_reported_on_stderr(
    home: Path, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    shown = _run(home, *arguments)
    assert shown.returncode == code
    assert shown.stdout == ""
    assert reason in shown.stderr


def test_loopback_is_accepted_with_the_setting_alone(home: Path) -> None:
    arguments = ("add", "http://127.0.0.1:9/", "--client", "a", "--event", "verdict")
    assert _run(home, *arguments).returncode == 1
    settings = home / ".env"
    text = settings.read_text()
    settings.write_text(text.replace("ALLOW_LOOPBACK=false", "ALLOW_LOOPBACK=true"))
    assert _run(home, *arguments).returncode == 0
