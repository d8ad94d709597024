from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.process_use import Memory
from chaos.soak.conclusion import Conclusion, conclude
from chaos.soak.growth import GrowthVerdict
from chaos.soak.run import CUSTOMERS, SoakPlan, require_space
from chaos.soak.samples import Sample
from fraudwatch.domain.time_units import DAY_MS, MINUTE_MS
from fraudwatch.samples import NOON_MS
from fraudwatch.stack.home import ROOT, StackError

PLAN = SoakPlan(minutes=120, rate=500, seed=7, bound_mib_per_hour=50, sample_seconds=60)


def samples(
    private_mib: Callable[[float], float], *, pids: Sequence[int] = (1,) * 120
) -> list[Sample]:
    return [
        Sample(
            hours=minute / 60,
            pids={"detector": pids[minute]} if pids[minute] else {},
            memory={"detector": Memory(9_000 + minute, private_mib(minute / 60))},
            state_bytes=0,
            detector_behind=0,
            persister_behind=0,
            purchase_to_verdict_ms=None,
        )
        for minute in range(120)
    ]


def concluded(readings: Sequence[Sample], sent_per_second: float = 500) -> Conclusion:
    return conclude(readings, bound_mib_per_hour=50, rate=500, sent_per_second=sent_per_second)


def test_growth_during_the_warm_up_does_not_count() -> None:
    found = concluded(samples(lambda hours: 900 + 600 * min(hours, 0.6)))
    assert found.ok
    assert found.growth["detector"].readings == 80


def test_growth_after_the_warm_up_fails_the_run() -> None:
    found = concluded(samples(lambda hours: 900 + 60 * hours))
    assert not found.ok
    assert found.not_below() == {"detector": GrowthVerdict.ABOVE}


def test_mapped_files_do_not_count_as_growth() -> None:
    assert concluded(samples(lambda _: 900)).ok


@pytest.mark.parametrize("later", [2, 0], ids=["another process", "no process"])
def test_a_restart_fails_the_run(later: int) -> None:
    found = concluded(samples(lambda _: 900, pids=[1] * 60 + [later] * 60))
    assert not found.ok
    assert found.restarted == ["detector"]


def test_a_load_that_falls_behind_fails_the_run() -> None:
    flat = samples(lambda _: 900)
    assert concluded(flat, 480).ok
    assert not concluded(flat, 470).ok


def test_an_unknown_margin_is_null_in_the_report() -> None:
    found = concluded(samples(lambda _: 900)[:3])
    assert found.as_json()["growth"]["detector"]["margin_mib_per_hour"] is None
    assert not found.ok


def test_the_events_of_the_load_reach_the_present_at_its_end() -> None:
    load = PLAN.load()
    assert load.customers == CUSTOMERS
    first = max(one.event_at_ms for one in load.batch(100, NOON_MS))
    middle = max(one.event_at_ms for one in load.batch(100, NOON_MS + 60 * MINUTE_MS))
    last = max(one.event_at_ms for one in load.batch(100, NOON_MS + 120 * MINUTE_MS))
    assert NOON_MS - first == 20 * DAY_MS
    assert NOON_MS + 60 * MINUTE_MS - middle == 10 * DAY_MS
    assert last == NOON_MS + 120 * MINUTE_MS


def test_a_disk_that_would_fill_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20 * 2**30))
    require_space(tmp_path, SoakPlan(**{**as_arguments(PLAN), "minutes": 3}))
    with pytest.raises(StackError, match="nothing was started"):
        require_space(tmp_path, PLAN)


def as_arguments(plan: SoakPlan) -> dict[str, float]:
    return {name: getattr(plan, name) for name in plan.__slots__}


def soak(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fraudwatch.cli", "soak", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_shows_an_example() -> None:
    shown = soak("--help")
    assert shown.returncode == 0
    assert "Example: ./fraudwatch soak" in shown.stdout


@pytest.mark.parametrize(
    "options", [("--rate", "0"), ("--minutes", "0"), ("--minutes", "1", "--sample-seconds", "61")]
)
def test_wrong_options_start_nothing(options: tuple[str, ...]) -> None:
    refused = soak(*options)
    assert refused.returncode == 2
    assert "starting a private stack" not in refused.stderr
