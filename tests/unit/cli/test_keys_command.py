from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.domain.api_keys import RevokedKey
from fraudwatch.stack.home import ROOT

# Ports on which no broker listens.
OFFSET = "FRAUDWATCH_PORT_OFFSET=53000\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".env").write_text(OFFSET)
    return folder


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FRAUDWATCH_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "100"}
    environment.pop("FRAUDWATCH_PORT_OFFSET", None)
    return subprocess.run(
        [sys.executable, "-m", "fraudwatch.cli", "keys", *arguments],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def _run_json(home: Path, *arguments: str) -> dict[str, Any]:
    shown = _run(home, *arguments, "--json")
    assert shown.returncode == 0, shown.stderr
    return dict(json.loads(shown.stdout))


@pytest.mark.parametrize("command", ["make", "list", "revoke"])
def test_every_command_has_help_with_an_example(home: Path, command: str) -> None:
    shown = _run(home, command, "--help")
    assert shown.returncode == 0
    assert f"Example: ./fraudwatch keys {command}" in shown.stdout


def test_a_key_is_made_listed_and_revoked_and_its_secret_is_shown_once(home: Path) -> None:
    made = _run_json(
        home, "make", "--client", "till", "--scope", "ingest", "--scope", "label",
        "--source", "shop", "--rate", "2.5", "--expires-days", "30", "--without-audit",
    )  # fmt: skip
    file = ApiKeyFile(home / "api_keys/keys.json")
    key = file.authenticate(made["key"], time.time_ns() // 1_000_000)
    assert (key.client, key.scopes, key.sources) == ("till", ("ingest", "label"), ("shop",))
    shown = _run(home, "list")
    assert made["key_id"] in shown.stdout
    assert "2.5/s" in shown.stdout
    assert made["key"].rsplit("_", 1)[1] not in shown.stdout
    [row] = _run_json(home, "list")["keys"]
    assert (row["state"], row["key_id"]) == ("valid", made["key_id"])
    _run_json(home, "revoke", made["key_id"], "--without-audit")
    with pytest.raises(RevokedKey):
        file.authenticate(made["key"], 0)
    assert [row["state"] for row in _run_json(home, "list")["keys"]] == ["revoked"]


def test_without_a_broker_a_change_is_refused(home: Path) -> None:
    refused = _run(home, "make", "--client", "till", "--scope", "read")
    assert refused.returncode == 1
    assert "--without-audit" in refused.stderr
    assert refused.stdout == ""
    assert _run_json(home, "list")["keys"] == []
    made = _run(home, "make", "--client", "till", "--scope", "read", "--without-audit")
    assert made.returncode == 0
    assert "without a record in the audit log" in made.stderr
    assert made.stdout.startswith("fwk_")


def test_a_mistake_is_one_sentence(home: Path) -> None:
    refused = _run(home, "revoke", "nothing", "--without-audit")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "no key nothing" in refused.stderr


def test_a_sandbox_key_is_marked_and_may_do_nothing_else(home: Path) -> None:
    words = ("make", "--client", "till", "--sandbox", "--without-audit")
    made = _run_json(home, *words, "--scope", "ingest")
    assert made["is_sandbox"] is True
    assert " sandbox" in _run(home, "list").stdout
    refused = _run(home, *words, "--scope", "ingest", "--scope", "read")
    assert refused.returncode == 1
    assert "a sandbox key has the scope ingest alone" in refused.stderr
    _run_json(home, "make", "--client", "page", "--scope", "read", "--without-audit")
    marks = {row["client"]: row["is_sandbox"] for row in _run_json(home, "list")["keys"]}
    assert marks == {"till": True, "page": False}
