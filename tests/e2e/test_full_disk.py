"""Fill the disk of a home under load: delete what all have, slow, refuse, and go on by itself.

The disk is a file system in memory, which needs root's right to mount.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from benchmarks.scraped import Scrape
from chaos import load as loads
from chaos.ledger import accepted_ids
from chaos.load import Load
from chaos.rows_file import read_rows
from chaos.run import ChaosRun, chaos_run, ledger_of
from chaos.verdict_rows import VerdictRows
from fraudwatch.adapters.kafka_log.ends import commit_ends, ends_of, starts_of
from fraudwatch.domain.disk_guard import DiskPressure
from fraudwatch.stack import supervisor
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, running
from fraudwatch.topics import ARCHIVE_GROUP, FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(3_600)]

GIB = 2**30
DISK_GIB = 3
DELETE_BELOW, SLOW_BELOW, REFUSE_BELOW = 0.75, 0.5, 0.25
LIMITS = {
    "DISK_DELETE_BELOW_GIB": str(DELETE_BELOW),
    "DISK_SLOW_BELOW_GIB": str(SLOW_BELOW),
    "DISK_REFUSE_BELOW_GIB": str(REFUSE_BELOW),
}
# A step every 150 s would take a quarter of an hour to the messages of the last hour.
QUICK_STEPS = {"LOG_GUARD_STEP_SECONDS": "2", "LOG_GUARD_CHECK_SECONDS": "1"}
GUARDED = (TRANSACTION_TOPIC, FRAUD_TOPIC, FEATURE_TOPIC)
PER_SECOND, SOURCE = 100, "disk"
Offsets = dict[str, dict[int, int]]


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("disk")
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a file system, and a full disk needs one of its own")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_GIB}g,mode=700", "fraudwatch", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def own_stack(small_disk: Path) -> Iterator[PrivateStack]:
    with running(small_disk, {**QUIET_SHOP, **LIMITS}, "speed") as started:
        yield started


class Filler:
    """File that leaves a given space free on its disk."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "filler"
        self._path.touch()

    def leave(self, gib: float) -> None:
        """Grow until no more is free; what others free later stays free."""
        missing = shutil.disk_usage(self._path.parent).free - int(gib * GIB)
        assert missing > 0, "the disk is fuller already: make it larger"
        with self._path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), self._path.stat().st_size, missing)

    def remove(self) -> None:
        self._path.unlink()


@contextmanager
def quick_guard(stack: PrivateStack) -> Iterator[None]:
    """Run the log guard as the stack does, with shorter steps."""
    supervisor.call(stack.home, "stopProcess", "log_guard")
    launch = stack.launches["log_guard"]
    guard = subprocess.Popen(
        launch.argv, cwd=ROOT, env={**os.environ, **launch.environment, **QUICK_STEPS}
    )
    try:
        yield
        assert guard.poll() is None, "the guard ended"
    finally:
        guard.terminate()
        guard.wait(30)


def starts(stack: PrivateStack) -> Offsets:
    return {topic: starts_of(stack.kafka("admin"), topic) for topic in GUARDED}


def archive_half(stack: PrivateStack) -> Offsets:
    """Commit half of each topic as archived, as the archive does; returns the offsets."""
    archiver, archived = stack.kafka("archiver"), {}
    for topic in GUARDED:
        archived[topic] = {n: end // 2 for n, end in ends_of(archiver, topic).items()}
        commit_ends(archiver, ARCHIVE_GROUP, topic, archived[topic])
    return archived


def pressure(stack: PrivateStack) -> float:
    scrape = Scrape.of(stack.port("ingest", "http"))
    return scrape.value("fraudwatch_ingest_disk_pressure")


def wait_for_pressure(stack: PrivateStack, wanted: DiskPressure) -> None:
    eventually(
        lambda: pressure(stack) == wanted, within_seconds=60, what=f"ingest to see {wanted.name}"
    )


def post_one(stack: PrivateStack) -> httpx.Response:
    """Post a purchase that is not in the ledger."""
    now_ms = time.time_ns() // 1_000_000
    purchase: Mapping[str, object] = {
        "source": "full",
        "id": f"full-{now_ms}",
        "event_at_ms": now_ms,
        "customer_id": "customer-1",
        "amount_minor": 1_000,
        "currency": "EUR",
        "payment_status": "approved",
        "channel": "not_present",
        "merchant_id": "merchant-1",
    }
    with stack.http("ingest", "INGEST_API_KEY") as client:
        return client.post("/v1/transactions", json=purchase)


def seconds_of_a_post(stack: PrivateStack) -> float:
    began = time.monotonic()
    assert post_one(stack).is_success
    return time.monotonic() - began


def rows_by_id(run: ChaosRun) -> Counter[str]:
    path = run.folder / "rows.tsv"
    VerdictRows(run.stack.cassandra("console")).write_to(path)
    return Counter(name for name, _ in read_rows(path) if name.startswith(f"{SOURCE}:"))


def test_a_full_disk_loses_nothing_and_empties_by_itself(
    own_stack: PrivateStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "TOO_LATE_SHARE", 0.0)  # each purchase has a row
    stack, filler = own_stack, Filler(own_stack.folder)
    with chaos_run(stack, tmp_path, Load(7, SOURCE), PER_SECOND, print) as run, quick_guard(stack):
        with run.under_traffic():
            time.sleep(20)
            run.drain()
            archived = archive_half(stack)
            assert starts(stack) == {topic: {0: 0, 1: 0} for topic in GUARDED}

            filler.leave((DELETE_BELOW + SLOW_BELOW) / 2)
            eventually(
                lambda: (
                    starts(stack)[FEATURE_TOPIC] == archived[FEATURE_TOPIC]
                    and starts(stack)[FRAUD_TOPIC] == archived[FRAUD_TOPIC]
                ),
                within_seconds=120,
                what="what all have to be deleted",
            )
            filler.leave((SLOW_BELOW + REFUSE_BELOW) / 2)
            wait_for_pressure(stack, DiskPressure.SLOW)
            assert seconds_of_a_post(stack) >= 0.5

            filler.leave(REFUSE_BELOW * 0.8)
            wait_for_pressure(stack, DiskPressure.REFUSE)
            refused = post_one(stack)
            assert refused.status_code == 503
            assert "the disk is full" in refused.text
            before = ends_of(stack.kafka("admin"), TRANSACTION_TOPIC)
            retries = run.traffic.retries
            time.sleep(5)
            assert ends_of(stack.kafka("admin"), TRANSACTION_TOPIC) == before, "ingest accepted"
            unread = starts(stack)

            filler.remove()
            wait_for_pressure(stack, DiskPressure.NONE)
            time.sleep(10)
        run.drain()
        rows = rows_by_id(run)

    # Half is not archived, and of purchases the detector's snapshot has the last word.
    for topic in GUARDED:
        assert all(unread[topic][n] <= end for n, end in archived[topic].items()), topic
    assert run.traffic.retries > retries, "the load was refused as well, and sent again"
    accepted = accepted_ids(ledger_of(tmp_path))
    assert len(accepted) > 2_000, "nothing lost means something only if there was a load"
    assert rows.keys() == accepted, "lost, or stored without an acknowledgement"
    assert set(rows.values()) == {1}
    assert all(state.ready for name, state in stack.states().items() if name != "log_guard")
