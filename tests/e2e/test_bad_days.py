# ruff: noqa: S608  the statements are literals around our tables' names
"""Kill, stop or fill up the lake while jobs run: no row is lost, duplicated or incomplete.

Takes about fifteen minutes on two cores: ``make proof`` runs it, ``make test`` does not.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest
import requests
from hdfs import HdfsError

from benchmarks.batch_steps import ARCHIVE, Step, environment_of_tasks, steps_of
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.lake.archive_table import ARCHIVED
from fraudwatch.adapters.lake.hive_sql import sql_session
from fraudwatch.lake import DATABASE, EXTRACT_FOLDER
from fraudwatch.stack import supervisor
from fraudwatch.stack.hdfs_setup import OWNER, SUPERUSER, client
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack, running
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC
from spark_jobs.archive.topic_archive import checkpoint_of
from tests.conftest import WORLD
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(1_800)]
STEP_SECONDS = 600
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
EXTRACT = steps_of(YESTERDAY)[0]
# The root of all our folders in HDFS.
LAKE_FOLDER = f"/{PurePosixPath(EXTRACT_FOLDER).parts[1]}"
# Special values of WebHDFS's SETQUOTA.
UNCHANGED, NO_LIMIT = 2**63 - 1, -1


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    with running(tmp_path_factory.mktemp("bad_days_home"), WORLD, "lake") as started:
        yield started


@dataclass(frozen=True)
class RunningStep:
    """A running step in its own process group."""

    process: subprocess.Popen[bytes]
    output: Path

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return exit code and output."""
        code = self.process.wait(timeout=STEP_SECONDS)
        return code, self.output.read_text(encoding="utf-8")


@contextmanager
def started(lake: PrivateStack, step: Step) -> Iterator[RunningStep]:
    """Start the step as a task runs it; it is killed at exit if it still runs."""
    environment, output = environment_of_tasks(lake), lake.folder / "step.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            step.argv(environment),
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    one = RunningStep(process, output)
    try:
        yield one
    finally:
        if process.poll() is None:
            one.kill()


def ended(lake: PrivateStack, step: Step) -> tuple[int, str]:
    with started(lake, step) as one:
        return one.ended()


def last_lines(text: str) -> str:
    """Return about as many lines as a failure mail shows."""
    return "\n".join(text.splitlines()[-5:])


def batches(lake: PrivateStack, topic: str, part: str) -> set[str]:
    """List the batches of a topic's checkpoint: planned (``offsets``) or done (``commits``)."""
    folder = f"{checkpoint_of(topic)}/{part}"
    hdfs = client(lake.webhdfs_url, OWNER)
    names = hdfs.list(folder) if hdfs.status(folder, strict=False) else []
    return {name for name in names if name.isdecimal()}


def is_mid_write(lake: PrivateStack, topic: str) -> bool:
    return bool(batches(lake, topic, "offsets") - batches(lake, topic, "commits"))


def expect_complete_archive_after_one_run(lake: PrivateStack) -> None:
    """Expect one more run to succeed and the tables to have each offset before it exactly once."""
    ends = {topic: ends_of(lake.kafka("archiver"), topic) for topic in ARCHIVED}
    code, text = ended(lake, ARCHIVE)
    assert code == 0, text[-4_000:]
    with sql_session(lake.hive("admin")) as sql:
        for topic, table in ARCHIVED.items():
            archived = sql.rows(
                "SELECT source_partition, count(*), count(DISTINCT source_offset), "
                f"min(source_offset), max(source_offset) FROM {DATABASE}.{table} "
                "GROUP BY source_partition"
            )
            reached = {}
            for partition, rows, offsets, first, last in archived:
                assert (rows, offsets, first) == (last + 1, last + 1, 0), (table, partition)
                reached[partition] = last + 1
            assert all(reached.get(one, 0) >= end for one, end in ends[topic].items()), table


def accepts_writes(lake: PrivateStack) -> bool:
    """Whether HDFS accepts writes; not while the NameNode is down or in safe mode."""
    try:
        client(lake.webhdfs_url, OWNER).write(f"{LAKE_FOLDER}/probe", b"", overwrite=True)
    except (HdfsError, requests.RequestException):
        return False
    return True


def set_space_quota(lake: PrivateStack, limit_bytes: int) -> None:
    """Set the lake's space quota; HDFS accepts no further block once it is exceeded."""
    response = requests.put(
        f"{lake.webhdfs_url}/webhdfs/v1{LAKE_FOLDER}",
        params={
            "op": "SETQUOTA",
            "user.name": SUPERUSER,
            "namespacequota": str(UNCHANGED),
            "storagespacequota": str(limit_bytes),
        },
        timeout=30,
    )
    response.raise_for_status()


@contextmanager
def full(lake: PrivateStack) -> Iterator[None]:
    set_space_quota(lake, 1)
    try:
        yield
    finally:
        set_space_quota(lake, NO_LIMIT)


def test_an_archive_run_killed_mid_write_is_completed_by_the_next(lake: PrivateStack) -> None:
    with started(lake, ARCHIVE) as archive:
        eventually(
            lambda: is_mid_write(lake, TRANSACTION_TOPIC),
            within_seconds=STEP_SECONDS,
            what="a batch that is planned and not done",
        )
        archive.kill()
    assert is_mid_write(lake, TRANSACTION_TOPIC), "the kill came too late to prove anything"
    expect_complete_archive_after_one_run(lake)


def test_a_namenode_killed_during_a_run_loses_no_row(lake: PrivateStack) -> None:
    before = supervisor.process(lake.home, "namenode").pid
    planned = batches(lake, FRAUD_TOPIC, "offsets")
    with started(lake, ARCHIVE) as archive:
        eventually(
            lambda: batches(lake, FRAUD_TOPIC, "offsets") - planned,
            within_seconds=STEP_SECONDS,
            what="a new batch of verdicts",
        )
        os.killpg(before, signal.SIGKILL)
        code, text = archive.ended()
    assert code != 0
    assert "The lake failed" in last_lines(text), text[-4_000:]
    assert supervisor.process(lake.home, "namenode").pid != before
    eventually(lambda: accepts_writes(lake), within_seconds=120, what="a writable NameNode")
    expect_complete_archive_after_one_run(lake)


def test_a_full_lake_fails_jobs_with_the_reason_and_they_succeed_with_space(
    lake: PrivateStack,
) -> None:
    hdfs = client(lake.webhdfs_url, OWNER)
    with full(lake):
        code, text = ended(lake, EXTRACT)
        assert code != 0
        assert "quota of the folder is used up" in text
        assert "free disk space" in text
        code, text = ended(lake, ARCHIVE)
        assert code != 0
        assert "quota of /fraudwatch is exceeded" in last_lines(text), text[-4_000:]
        with sql_session(lake.hive("admin")) as sql:  # existing rows can still be read
            assert sql.rows(f"SELECT count(*) FROM {DATABASE}.{ARCHIVED[TRANSACTION_TOPIC]}")
    drafts = [
        name for _, _, names in hdfs.walk(EXTRACT_FOLDER) for name in names if "draft" in name
    ]
    assert not drafts
    code, text = ended(lake, EXTRACT)
    assert code == 0, text[-4_000:]
    expect_complete_archive_after_one_run(lake)
