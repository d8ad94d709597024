"""Every command on a running stack, from the control environment, with the smallest real input."""

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
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_file_is_replayed_and_its_verdicts_are_measured(
    stack: PrivateStack, tmp_path: Path
) -> None:
    file, mapping = tmp_path / "three.csv", tmp_path / "three.yaml"
    file.write_text(ROWS)
    mapping.write_text(yaml.safe_dump(MAPPING))
    sent = document(stack, "replay", str(file), "--mapping", str(mapping))
    assert sent["accepted"] == 3
    words = ("report", "--labels", str(file), "--mapping", str(mapping), "--json")

    def judged() -> dict[str, Any] | None:
        done = stack.command(*words, check=False)
        found = json.loads(done.stdout) if done.returncode == 0 else {}
        return found if found.get("verdicts") == 3 else None

    found = eventually(judged, within_seconds=120, what="verdicts on three replayed purchases")
    assert (found["transactions"], found["frauds"]) == (3, 1)


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
def test_what_is_there_is_one_json_object(
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
def test_without_the_batch_half_its_commands_say_so(
    stack: PrivateStack, words: tuple[str, ...]
) -> None:
    done = stack.command(*words, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "--profile lake" in done.stderr
