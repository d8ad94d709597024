from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.stack.home import ROOT

COMMANDS = ("ls", "add", "reset-password", "close", "open")


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FRAUDWATCH_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "fraudwatch.cli", "accounts", *arguments],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def _run_json(home: Path, *arguments: str) -> dict[str, Any]:
    shown = _run(home, *arguments, "--json")
    assert shown.returncode == 0, shown.stderr
    return dict(json.loads(shown.stdout))


def _states(home: Path) -> dict[str, tuple[str, bool, str]]:
    rows = _run_json(home, "ls")["accounts"]
    return {row["login"]: (row["role"], row["is_open"], row["changed_by"]) for row in rows}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    shown = _run(tmp_path, command, "--help")
    assert shown.returncode == 0
    assert f"Example: ./fraudwatch accounts {command}" in shown.stdout


def test_a_locked_out_admin_gets_a_new_password(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = _states(home)
    assert first == {
        "admin": ("admin", True, "first-start"),
        "analyst": ("analyst", True, "first-start"),
        "lead": ("lead", True, "first-start"),
    }
    assert (home / "console/accounts.sqlite3").exists()
    password = _run_json(home, "reset-password", "admin")["password"]
    assert password not in (home / ".env").read_text()
    assert _states(home)["admin"] == ("admin", True, "operator")
    shown = _run(home, "reset-password", "admin")
    assert shown.stdout.strip() != password
    assert shown.stdout.strip() not in shown.stderr


def test_accounts_are_added_closed_and_opened(tmp_path: Path) -> None:
    assert _run_json(tmp_path, "add", "lina", "--role", "lead")["login"] == "lina"
    assert _run_json(tmp_path, "close", "lina") == {"login": "lina", "is_open": False}
    assert _states(tmp_path)["lina"] == ("lead", False, "operator")
    assert "lina                 lead     closed" in _run(tmp_path, "ls").stdout
    assert _run_json(tmp_path, "open", "lina") == {"login": "lina", "is_open": True}


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("close", "admin"), 1, "No open admin would be left"),
        (("close", "unknown"), 1, "There is no account unknown"),
        (("add", "lead", "--role", "lead"), 1, "already"),
        (("add", "x", "--role", "lead"), 1, "2 to 32 characters"),
        (("add", "lina", "--role", "king"), 2, "king"),
        (("add", "lina"), 2, "--role"),
    ],
)
def test_a_broken_rule_is_reported_on_stderr(
    tmp_path: Path, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    shown = _run(tmp_path, *arguments)
    assert shown.returncode == code
    assert shown.stdout == ""
    assert reason in shown.stderr
