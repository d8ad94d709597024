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
from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.console.audit_outbox import OUTBOX_FILE
from fraudwatch.domain.api_keys import RevokedKey
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.fields import problems
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
        "--source", "shop", "--rate", "2.5", "--expires-days", "30",
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
    _run_json(home, "revoke", made["key_id"])
    with pytest.raises(RevokedKey):
        file.authenticate(made["key"], 0)
    assert [row["state"] for row in _run_json(home, "list")["keys"]] == ["revoked"]


def test_each_change_has_an_audit_record_first_and_needs_no_broker(home: Path) -> None:
    made = _run_json(home, "make", "--client", "till", "--scope", "read")
    _run_json(home, "revoke", made["key_id"], "--reason", "the till was stolen")
    entries = JsonlJournal(home / "console" / OUTBOX_FILE).entries()
    records = [decode(AuditRecord, entry["record"].encode()) for entry in entries]
    assert [one.deed for one in records] == [AuditAction.KEY_MADE, AuditAction.KEY_REVOKED]
    assert all(made["key_id"] in (one.subject or "") for one in records)
    assert records[1].reason.startswith("the till was stolen, on the command line, by the system's")
    assert [problems(one) for one in records] == [[], []]


def test_without_room_for_the_record_nothing_is_changed(home: Path) -> None:
    (home / "console").write_text("a file where the folder belongs")
    refused = _run(home, "make", "--client", "till", "--scope", "read")
    assert refused.returncode == 1
    assert "cannot be recorded" in refused.stderr
    assert refused.stdout == ""
    assert _run_json(home, "list")["keys"] == []


def test_a_short_reason_is_refused(home: Path) -> None:
    refused = _run(home, "make", "--client", "till", "--scope", "read", "--reason", "so")
    assert refused.returncode == 1
    assert "at least 10 characters" in refused.stderr


@pytest.mark.parametrize("scope", ["ingest", "label"])
def test_a_key_for_all_sources_is_made_only_when_asked_for(home: Path, scope: str) -> None:
    words = ("make", "--client", "till", "--scope", scope)
    refused = _run(home, *words)
    assert refused.returncode == 1
    assert "--all-sources" in refused.stderr
    assert _run_json(home, "list")["keys"] == []
    assert _run_json(home, *words, "--all-sources")["sources"] == []


def test_a_mistake_is_one_sentence(home: Path) -> None:
    refused = _run(home, "revoke", "nothing")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "no key nothing" in refused.stderr


def test_a_sandbox_key_is_marked_and_may_do_nothing_else(home: Path) -> None:
    words = ("make", "--client", "till", "--sandbox")
    made = _run_json(home, *words, "--scope", "ingest")
    assert made["is_sandbox"] is True
    assert " sandbox" in _run(home, "list").stdout
    refused = _run(home, *words, "--scope", "ingest", "--scope", "read")
    assert refused.returncode == 1
    assert "a sandbox key has the scope ingest alone" in refused.stderr
    _run_json(home, "make", "--client", "page", "--scope", "read")
    marks = {row["client"]: row["is_sandbox"] for row in _run_json(home, "list")["keys"]}
    assert marks == {"till": True, "page": False}
