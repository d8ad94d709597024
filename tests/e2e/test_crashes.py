"""Kill every process of a private stack at once under load, several times, then count."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudwatch.stack.launches import interpreter
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, running

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(3_600)]


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    with running(tmp_path_factory.mktemp("crashed"), QUIET_SHOP, "speed") as started:
        yield started


def test_nothing_is_lost_when_everything_is_killed_at_once(
    own_stack: PrivateStack, tmp_path: Path
) -> None:
    python = interpreter(own_stack.home, "control")
    script = Path(__file__).with_name("in_control.py")
    offset = str(own_stack.offset)
    done = subprocess.run(
        [python, str(script), "everything", str(own_stack.folder), offset, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    report = json.loads(done.stdout)
    assert report["kills_of_everything"] == 4
    assert len(report["recovery_seconds"]) == 4
    assert report["examples"] == {}
    assert report["ok"]
    assert report["accepted"] > 1_000, "zero findings mean something only if there was a load"
    assert report["features_compared"] >= report["verdicts"]
