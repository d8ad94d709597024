"""Run chaos and the stream benchmark on the session's stack, with the commands' interpreter."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.stack.launches import interpreter
from fraudwatch.stack.private_stack import PrivateStack

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]


def in_control(stack: PrivateStack, tool: str, folder: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("in_control.py")
    python = interpreter(stack.home, "control")
    done = subprocess.run(
        [python, str(script), tool, str(stack.folder), str(stack.offset), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_nothing_is_lost_or_contradicted_while_the_engines_are_killed(
    stack: PrivateStack, tmp_path: Path
) -> None:
    report = in_control(stack, "chaos", tmp_path)
    findings, with_unsent = report["findings"], report["findings_with_unsent"]

    assert report["recoveries"] == {
        "detector": "kill_at_verdict",
        "kafka": "kill",
        "cassandra": "kill",
    }
    assert findings["examples"] == {}
    assert findings["ok"]
    # Zero findings mean something only if there was something to count.
    assert findings["accepted"] > 1_000
    assert findings["verdicts"] + findings["put_aside"] == findings["accepted"]
    assert 0 < findings["put_aside"] < findings["accepted"] / 100
    assert findings["features_compared"] >= findings["verdicts"]
    assert all(state.ready for state in stack.states().values())
    # And a lost purchase would be detected.
    assert not with_unsent["ok"]
    assert with_unsent["examples"] == {"lost": ["acknowledged but not logged: chaos:never-sent"]}


def test_the_benchmark_times_a_small_load(stack: PrivateStack, tmp_path: Path) -> None:
    report = in_control(stack, "stream", tmp_path)
    assert 0 < report["event_to_verdict_ms"]["p50"] <= report["event_to_verdict_ms"]["p99"]
    assert report["event_to_row_ms"]["sampled"] > 10
    assert report["processes"].keys() >= {"kafka", "cassandra", "ingest", "detector", "persister"}
