"""Run every command on a running stack, from the control environment, with minimal real input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fraudwatch.stack.private_stack import PrivateStack
from tests.waiting import eventually

pytestmark = pytest.mark.engines
MAPPING = {
    "about": "three purchases",
    "never_read": ["fraud"],
    "label": {"column": "fraud", "fraud": ["1"], "genuine": ["0"]},
    "time": {"text": "%Y-%m-%d %H:%M:%S"},
    "amount": "minor",
    "fields": {
        "source": "three",
        "id": "{no}",
        "event_at_ms": "{at}",
        "customer_id": "{card}",
        "amount_minor": "{cents}",
        "currency": "EUR",
        "payment_status": "approved",
        "channel": "present",
        "merchant_id": "m",
    },
}
ROWS = """no,at,card,cents,fraud
1,2026-01-05 09:00:00,ann,1000,0
2,2026-01-05 10:00:00,bob,900000,1
3,2026-01-05 11:00:00,ann,2000,0
"""


def document(stack: PrivateStack, *words: str) -> dict[str, Any]:
    done = stack.command(*words, "--json", check=False)
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def test_a_file_is_replayed_and_its_verdicts_are_evaluated(
    stack: PrivateStack, tmp_path: Path
) -> None:
    file, mapping = tmp_path / "three.csv", tmp_path / "three.yaml"
    file.write_text(ROWS)
    mapping.write_text(yaml.safe_dump(MAPPING))
    sent = document(stack, "replay", str(file), "--mapping", str(mapping))
    assert sent["accepted"] == 3
    words = ("report", "--labels", str(file), "--mapping", str(mapping), "--json")

    def complete_report() -> dict[str, Any] | None:
        done = stack.command(*words, check=False)
        report = json.loads(done.stdout) if done.returncode == 0 else {}
        return report if report.get("verdicts") == 3 else None

    report = eventually(complete_report, within_seconds=120, what="verdicts of three purchases")
    assert (report["transactions"], report["frauds"]) == (3, 1)


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("status",), "services"),
        (("doctor",), "checks"),
        (("creds",), "logins"),
        (("accounts", "ls"), "accounts"),
        (("dead-letters", "ls"), "letters"),
        (("model", "ls"), "versions"),
        (("model", "fit"), "said"),
        (("reports", "ls"), "reports"),
    ],
    ids=str,
)
def test_commands_print_one_json_object(
    stack: PrivateStack, words: tuple[str, ...], key: str
) -> None:
    assert key in document(stack, *words)


def test_logs_are_shown(stack: PrivateStack) -> None:
    assert stack.command("logs", "detector", "--lines", "1").stdout.strip()


@pytest.mark.parametrize(
    "words",
    [
        ("dags", "ls"),
        ("reports", "show", "out_fraud_by_day"),
        ("reconcile", "--date", "2026-01-05"),
        ("backtest", "default", "--from", "2026-01-05", "--until", "2026-01-05"),
    ],
    ids=" ".join,
)
def test_without_the_lake_its_commands_name_the_profile(
    stack: PrivateStack, words: tuple[str, ...]
) -> None:
    done = stack.command(*words, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "--profile lake" in done.stderr
