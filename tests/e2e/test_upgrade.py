"""Upgrade a home that an old commit filled, while it is used, and count every purchase."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chaos.fault_injector import FaultInjector
from chaos.faults import Fault, FaultKind
from chaos.load import Load
from chaos.run import ChaosRun, chaos_run
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.kafka_log.log import read_range
from fraudwatch.home_format import HOME_FORMAT
from fraudwatch.stack import home_version
from fraudwatch.stack.home import ROOT, Home
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, free_offset
from fraudwatch.topics import FRAUD_TOPIC
from tests.conftest import SHORT_LIVED
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(1200)]

# The last commit whose homes do not record their version.
OLD = "ec0e721dbf2b5858760beb8dbb01d797a74302fd"
PER_SECOND = 50


@dataclass(frozen=True)
class OldCheckout:
    """A checkout of the old commit with its own environments, and the stack that it starts."""

    folder: Path
    runtime: Path
    stack: PrivateStack

    def command(self, *words: str) -> None:
        mine = {
            "FRAUDWATCH_RUNTIME": str(self.runtime),
            "FRAUDWATCH_HOME": str(self.stack.folder),
            "FRAUDWATCH_PORT_OFFSET": str(self.stack.offset),
        }
        done = subprocess.run(
            [self.folder / "fraudwatch", *words],
            env={name: v for name, v in os.environ.items() if name != "PYTHONPATH"} | mine,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-4_000:]


def git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, check=False, capture_output=True, text=True)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[OldCheckout]:
    if git("cat-file", "-e", f"{OLD}^{{commit}}").returncode != 0:
        pytest.skip(f"this clone's history does not hold {OLD[:7]}; git fetch --unshallow gets it")
    folder, runtime, home = (tmp_path / name for name in ("old", "runtime", "home"))
    for words in (
        ("clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder)),
        ("-C", str(folder), "checkout", "--quiet", "--detach", OLD),
    ):
        assert git(*words).returncode == 0
    # Its jars are the same; what is verified by size and time stays verified.
    shutil.copytree(Home.from_environment().jars, runtime / "jars", symlinks=True)
    home.mkdir()
    settings = {**QUIET_SHOP, "JAVA_OPTIONS": SHORT_LIVED}
    (home / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    stack = PrivateStack(home, free_offset())
    try:
        yield OldCheckout(folder, runtime, stack)
    finally:
        stack.command("down", check=False)


@contextmanager
def under_traffic(run: ChaosRun) -> Iterator[None]:
    run.traffic.stopping.clear()
    sending = threading.Thread(target=run.traffic.run)
    sending.start()
    try:
        yield
    finally:
        run.traffic.stopping.set()
        sending.join()


def verdicts(stack: PrivateStack) -> dict[tuple[int, int], bytes]:
    kafka = stack.kafka("admin")
    return {
        (message.partition() or 0, message.offset() or 0): message.value() or b""
        for messages in read_range(kafka, FRAUD_TOPIC, ends_of(kafka, FRAUD_TOPIC))
        for message in messages
    }


def has_snapshot(stack: PrivateStack) -> bool:
    return any((stack.folder / "detector/snapshots").glob("*.manifest"))


def test_a_home_of_before_is_upgraded_under_use_without_a_second_verdict(
    old: OldCheckout, tmp_path: Path
) -> None:
    old.command("up", "--profile", "speed")
    stack = old.stack
    log = stack.folder / "log/detector.log"
    with chaos_run(stack, tmp_path, Load(7, "chaos"), PER_SECOND, print) as run:
        with under_traffic(run):
            eventually(lambda: has_snapshot(stack), within_seconds=120, what="a snapshot")
            refused = stack.command("up", "--profile", "speed", check=False)
            assert refused.returncode == 1
            assert "run ./fraudwatch upgrade" in refused.stderr
            # Verdicts are published, Spark has not committed: the old code must end this batch.
            FaultInjector(stack).inject(Fault("detector", FaultKind.KILL_AT_VERDICT, 0))
            before = verdicts(stack)
            upgraded = stack.command("upgrade", "--json", check=False)
            assert upgraded.returncode == 0, upgraded.stderr[-4_000:]
            report = json.loads(upgraded.stdout)
            logged = log.read_text(encoding="utf-8")
            time.sleep(5)
        run.drain()
        after = verdicts(stack)
        findings = run.count()

    assert (report["from_format"], report["to_format"]) == (1, HOME_FORMAT)
    assert report["drained"]
    assert report["started"]
    assert report["steps"] == ["renew_statsd_defaults"]
    assert report["states"] == "kept"
    # The same features version: the new detector continues the old one's snapshot.
    assert report["from_features_version"] == report["to_features_version"]
    restored = [line for line in logged.splitlines() if "restored the state of" in line][-1]
    assert "from no snapshot" not in restored
    assert home_version.read(stack.home) is not None
    # What was published stays, byte for byte, and each purchase has one verdict.
    assert len(before) > 100
    assert before.items() <= after.items()
    assert findings.examples == {}
    assert findings.ok
    assert findings.accepted > len(before)
    assert findings.verdicts + findings.put_aside == findings.accepted
