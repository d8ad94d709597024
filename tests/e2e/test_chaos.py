"""Chaos and the benchmark on the session's stack, by the interpreter that the commands run in."""

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
    python = interpreter(stack.place, "control")
    done = subprocess.run(
        [python, str(script), tool, str(stack.home), str(stack.offset), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_nothing_is_lost_or_contradicted_while_the_engines_are_killed(
    stack: PrivateStack, tmp_path: Path
) -> None:
    report = in_control(stack, "chaos", tmp_path)
    found, of_forged = report["found"], report["of_forged"]

    assert report["recoveries"] == {
        "detector": "kill_at_verdict",
        "kafka": "kill",
        "cassandra": "kill",
    }
    assert found["examples"] == {}
    assert found["ok"]
    # Finding nothing wrong means something only if something was there.
    assert found["accepted"] > 1_000
    assert found["verdicts"] + found["put_aside"] == found["accepted"]
    assert 0 < found["put_aside"] < found["accepted"] / 100
    assert found["features_compared"] >= found["verdicts"]
    assert all(state.ready for state in stack.states().values())
    # And a promise that was broken would have been seen.
    assert not of_forged["ok"]
    assert of_forged["examples"] == {"lost": ["acknowledged but not logged: chaos:never-sent"]}


def test_the_benchmark_times_a_small_load(stack: PrivateStack, tmp_path: Path) -> None:
    report = in_control(stack, "stream", tmp_path)
    assert 0 < report["event_to_verdict_ms"]["p50"] <= report["event_to_verdict_ms"]["p99"]
    assert report["event_to_row_ms"]["sampled"] > 10
    assert report["processes"].keys() >= {"kafka", "cassandra", "ingest", "detector", "persister"}
