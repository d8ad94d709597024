from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudwatch.adapters.artefacts.policy_file import parse_rules
from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
from fraudwatch.cli import policy_session
from fraudwatch.cli.policy import app
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.stack.home import StackError
from tests.policies import LIVE, OTHER, AuditRecorder, seeded

WHY = ("--reason", "chargebacks of three shops")
ENTRY = ("deny", "merchant", "m-17")


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> AuditRecorder:
    recorder = AuditRecorder()
    monkeypatch.setattr(policy_session.PolicySession, "_audit_log", lambda _: recorder)
    return recorder


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, audit: AuditRecorder) -> PolicyFolder:
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path))
    found = PolicyFolder(tmp_path / "policy")
    seeded(found)
    assert audit.records == []
    return found


def run_json(*words: str) -> dict[str, Any]:
    shown = CliRunner().invoke(app, [*words, "--json"])
    assert shown.exit_code == 0, shown.output
    document: dict[str, Any] = json.loads(shown.stdout)
    return document


def test_the_live_policy_is_shown_in_words(folder: PolicyFolder) -> None:
    found = run_json("show")
    assert found["version"] == parse_rules(*folder.live()).version
    assert {one["title"] for one in found["policy"]} >= {"Review", "High amount", "Deny list"}
    assert "High amount: The amount is 1,000.00 EUR" in CliRunner().invoke(app, ["show"]).stdout


def test_list_entries_are_added_renewed_and_removed(
    folder: PolicyFolder, audit: AuditRecorder
) -> None:
    run_json("lists", "add", *ENTRY, *WHY)
    added = run_json("lists", "add", *ENTRY, "--until", "2099-01-01", *WHY)
    [row] = run_json("lists", "ls")["entries"]
    assert (row["value"], row["by"], row["expires_at"]) == (
        "m-17", "operator", "2099-01-01T00:00:00Z"
    )  # fmt: skip
    assert parse_rules(*folder.live()).version == added["version"]
    run_json("lists", "remove", *ENTRY, *WHY)
    assert run_json("lists", "ls") == {"entries": []}
    assert audit.actions() == [(AuditAction.POLICY_CHANGED_ALONE, "operator")] * 3
    assert len(run_json("history")["versions"]) == 4


def test_a_version_is_compared_and_rolled_back_to(folder: PolicyFolder) -> None:
    first = parse_rules(*LIVE).version
    run_json("lists", "add", *ENTRY, *WHY)
    assert "-  value: m-17" in run_json("diff", first)["diff"]
    assert run_json("rollback", first, *WHY) == {"version": first}
    assert folder.live() == LIVE
    assert run_json("diff", "--default") == {"diff": ""}


def test_the_shipped_default_becomes_live_and_the_lists_stay(folder: PolicyFolder) -> None:
    folder.replace_live(OTHER)
    run_json("lists", "add", *ENTRY, *WHY)
    assert "+  alerts_a_day: 60" in run_json("diff", "--default")["diff"]
    run_json("take-default", *WHY)
    assert folder.live().policy == LIVE.policy
    assert len(run_json("lists", "ls")["entries"]) == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("lists", "remove", *ENTRY, *WHY), "the deny list has no such merchant"),
        (("lists", "add", *ENTRY, "--reason", "short"), "Give a reason of 10"),
        (("lists", "add", "deny", "card", "4111111111111111", *WHY), "can never match a card"),
        (("rollback", "nothing", *WHY), "there is no version nothing"),
        (("diff",), "give either a VERSION or --default"),
    ],
)
def test_what_cannot_be_done_is_refused(
    folder: PolicyFolder, audit: AuditRecorder, words: tuple[str, ...], reason: str
) -> None:
    shown = CliRunner().invoke(app, list(words))
    assert shown.exit_code == 2
    assert reason in " ".join(shown.output.split())
    assert (folder.live(), audit.records) == (LIVE, [])


def test_without_the_audit_log_nothing_changes(folder: PolicyFolder, audit: AuditRecorder) -> None:
    audit.is_down = True
    shown = CliRunner().invoke(app, ["lists", "add", *ENTRY, *WHY])
    assert isinstance(shown.exception, StackError)
    assert "the audit log cannot be written" in str(shown.exception)
    assert folder.live() == LIVE


def test_a_home_without_a_policy_says_how_it_gets_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path))
    shown = CliRunner().invoke(app, ["show"])
    assert "start the platform first" in str(shown.exception)


@pytest.mark.parametrize("command", ["show", "history", "diff", "rollback", "take-default"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"])
    assert f"Example: ./fraudwatch policy {command}" in shown.stdout
