from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fraudwatch.cli.alert_tail import alert_line
from fraudwatch.stack.home import ROOT

COMMANDS = ("up", "down", "status", "logs", "doctor", "creds", "demo")


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FRAUDWATCH_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "100"}
    environment["FRAUDWATCH_PORT_OFFSET"] = "23000"
    return subprocess.run(
        [sys.executable, "-m", "fraudwatch.cli", *arguments],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    shown = _run(tmp_path, command, "--help")
    assert shown.returncode == 0
    assert f"Example: ./fraudwatch {command}" in shown.stdout


def test_status_of_a_stopped_stack_is_one_json_object_and_a_failure(tmp_path: Path) -> None:
    shown = _run(tmp_path / "home", "status", "--json")
    assert shown.returncode == 1
    document = json.loads(shown.stdout)
    assert document["ready"] is False
    assert {service["state"] for service in document["services"]} == {"stopped"}


def test_creds_shows_secrets_on_stdout_only(tmp_path: Path) -> None:
    shown = _run(tmp_path / "home", "creds", "--json")
    assert shown.returncode == 0
    logins = json.loads(shown.stdout)["logins"]
    console = {row["login"]: row for row in logins if row["what"] == "console"}
    assert list(console) == ["analyst", "lead", "admin"]
    for name, row in console.items():
        assert row["where"] == "http://127.0.0.1:31501"
        line = f"CONSOLE_{name.upper()}_PASSWORD={row['secret']}"
        assert line in (tmp_path / "home/.env").read_text()
        assert "may have been changed since" in row["note"]
    assert shown.stderr == ""


def test_doctor_finds_a_weak_secret_and_names_the_fix(tmp_path: Path) -> None:
    _run(tmp_path, "creds")
    env = tmp_path / ".env"
    lines = [line for line in env.read_text().splitlines() if "SHOP_API_KEY" not in line]
    env.write_text("\n".join([*lines, "SHOP_API_KEY=cassandra"]))
    env.chmod(0o600)
    shown = _run(tmp_path, "doctor", "--json")
    assert shown.returncode == 1
    broken = {c["name"]: c for c in json.loads(shown.stdout)["checks"] if not c["ok"]}
    assert "SHOP_API_KEY" in broken["settings"]["found"]
    assert str(env) in broken["settings"]["cure"]


@pytest.mark.parametrize("wrong", [("nonsense",), ("logs", "unknown"), ("up", "--profile", "none")])
def test_wrong_usage_is_reported_on_stderr_with_exit_code_two(
    tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    shown = _run(tmp_path, *wrong)
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert shown.stderr


def test_logs_prints_the_last_lines(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/kafka.log").write_text("".join(f"line {n}\n" for n in range(100)))
    assert _run(tmp_path, "logs", "kafka", "--lines", "2").stdout == "line 98\nline 99\n"


def test_an_alert_is_one_line_in_euros() -> None:
    verdict = {
        "decided_at_ms": 1_771_111_512_000,
        "risk": "HIGH",
        "outcome": "review",
        "amount_eur_cents": 123_405,
        "reasons": [{"text": "High amount."}],
    }
    assert alert_line(verdict).split() == [
        "23:25:12", "HIGH", "review", "1234.05", "EUR", "High", "amount."
    ]  # fmt: skip
