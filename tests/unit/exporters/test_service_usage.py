from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from exporters.service_usage import process_trees
from exporters.service_usage.collecting import state_families, usage_families
from exporters.service_usage.keys import keys_made_at
from exporters.service_usage.machine import machine_families
from exporters.service_usage.process_trees import UsageMeter
from exporters.service_usage.service_states import RestartCounter, ServiceState, is_ready
from fraudwatch.stack.watchdog_report import STALE_SECONDS, WatchdogReport
from tests.waiting import eventually

# Starts a child that works until a line comes, ignores its end, and waits for another line.
PARENT = """
import signal, subprocess, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets what the child used
child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
print(child.pid, flush=True)
sys.stdin.readline()
child.kill()
print("ended", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        for one in (*psutil.Process(process.pid).children(recursive=True), process):
            one.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def answer(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_processor_time_of_a_child_that_ended_is_kept(parent: subprocess.Popen[str]) -> None:
    child, meter, leaders = int(line(parent)), UsageMeter(), {"a": parent.pid}

    def used() -> float:
        return meter.measure(leaders)["a"].cpu_seconds

    before = eventually(lambda: (s := used()) > 0.3 and s, within_seconds=60, what="some work")
    assert meter.measure(leaders)["a"].processes == 2
    answer(parent)
    assert line(parent) == "ended"
    eventually(lambda: not psutil.pid_exists(child), within_seconds=10, what="the child's end")
    after = meter.measure(leaders)["a"]
    assert after.processes == 1
    assert before <= after.cpu_seconds < before + 60
    # What the parent uses from then on is counted as well.
    assert used() >= after.cpu_seconds


def test_a_restarted_service_goes_on_counting() -> None:
    account = process_trees._Account(leader=1)
    assert account.add(1, 10.0) == 10.0
    assert account.add(1, 4.0) == 10.0  # a child has ended
    assert account.add(1, 5.0) == 11.0
    assert account.add(2, 3.0) == 14.0  # a new process


def test_memory_and_start_are_those_of_the_tree(parent: subprocess.Popen[str]) -> None:
    line(parent)
    found = UsageMeter().measure({"a": parent.pid, "gone": 2**22 + 1})
    assert found.keys() == {"a"}
    usage = found["a"]
    assert 1e6 < usage.anonymous_bytes < usage.resident_bytes < 1e9
    assert abs(usage.started_at_seconds - time.time()) < 120


def test_restarts_are_new_processes_of_a_service_that_ran() -> None:
    counter = RestartCounter()
    assert [counter.count("a", pid) for pid in (0, 5, 5, 0, 6, 6, 7)] == [0, 0, 0, 0, 1, 1, 2]
    assert counter.count("b", 9) == 0


def test_readiness_is_the_watchdogs_and_unknown_without_it() -> None:
    report = WatchdogReport(checked_at=1000.0, unready_seconds={"a": 0.0, "b": 3.0})
    assert is_ready("a", report, 1010) is True
    assert is_ready("b", report, 1010) is False
    assert is_ready("c", report, 1010) is None
    assert is_ready("a", report, 1001 + STALE_SECONDS) is None
    assert is_ready("a", None, 1010) is None
    assert is_ready("watchdog", report, 1010) is True
    assert is_ready("watchdog", report, 1001 + STALE_SECONDS) is False
    assert is_ready("watchdog", None, 1010) is False


def test_states_are_published_and_an_unknown_one_is_left_out() -> None:
    states = (
        ServiceState(name="kafka", pid=1, is_up=True, is_ready=None, is_given_up=False, restarts=2),
        ServiceState(name="shop", pid=0, is_up=False, is_ready=False, is_given_up=True, restarts=0),
    )
    found = {
        (s.name, s.labels["service"]): s.value for f in state_families(states) for s in f.samples
    }
    assert found == {
        ("fraudwatch_service_up", "kafka"): 1,
        ("fraudwatch_service_up", "shop"): 0,
        ("fraudwatch_service_ready", "shop"): 0,
        ("fraudwatch_service_given_up", "kafka"): 0,
        ("fraudwatch_service_given_up", "shop"): 1,
        ("fraudwatch_service_restarts_total", "kafka"): 2,
        ("fraudwatch_service_restarts_total", "shop"): 0,
    }


def test_usage_has_cadvisors_names() -> None:
    usages = UsageMeter().measure({"kafka": os.getpid()})
    found = {s.name: s.value for f in usage_families(usages) for s in f.samples}
    assert found.keys() == {
        "container_cpu_usage_seconds_total",
        "container_memory_rss",
        "container_memory_working_set_bytes",
        "container_spec_memory_limit_bytes",
        "container_start_time_seconds",
        "container_processes",
    }
    assert found["container_spec_memory_limit_bytes"] > 100e6
    assert found["container_processes"] >= 1


def test_the_machine_has_node_exporters_names(tmp_path: Path) -> None:
    families = {f.name: f.samples for f in machine_families((tmp_path, Path("/")))}
    samples = {s.name for found in families.values() for s in found}
    assert samples == {
        "node_cpu_seconds_total",
        "node_memory_MemTotal_bytes",
        "node_memory_MemAvailable_bytes",
        "node_load1",
        "node_boot_time_seconds",
        "node_filesystem_size_bytes",
        "node_filesystem_avail_bytes",
    }
    modes = {s.labels["mode"] for s in families["node_cpu_seconds"]}
    assert {"user", "system", "idle", "iowait"} <= modes
    assert "guest" not in modes
    for size, left in zip(
        families["node_filesystem_size_bytes"],
        families["node_filesystem_avail_bytes"],
        strict=True,
    ):
        assert Path(size.labels["mountpoint"]).is_mount()
        assert 0 <= left.value <= size.value


def test_keys_are_dated_by_their_files_and_public_halves_are_left_out(tmp_path: Path) -> None:
    for name in ("token.json", "dead_letter_private.json", "dead_letter_public.json", "x.sqlite3"):
        (tmp_path / name).write_text("{}")
        os.utime(tmp_path / name, (1_700_000_000, 1_700_000_000))
    assert keys_made_at(tmp_path) == {"dead_letter": 1.7e9, "token": 1.7e9}
    assert keys_made_at(tmp_path / "none") == {}
