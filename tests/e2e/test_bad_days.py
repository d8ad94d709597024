# ruff: noqa: S608  the statements are literals around our tables' names
"""Days on which the lake is killed, stopped or full: no row is lost, doubled or half there.

Some fifteen minutes on two cores: ``make proof`` runs it, ``make test`` does not.
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
from fraudwatch.adapters.lake.hive_sql import sql_session
from fraudwatch.lake import DATABASE, EXTRACT_FOLDER
from fraudwatch.stack import supervisor
from fraudwatch.stack.hdfs_setup import OWNER, SUPERUSER, client
from fraudwatch.stack.place import ROOT
from fraudwatch.stack.private_stack import PrivateStack, running
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC
from spark_jobs.archive.topic_archive import ARCHIVED, checkpoint_of
from tests.conftest import WORLD
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(1_800)]
STEP_SECONDS = 600
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
EXTRACT = steps_of(YESTERDAY)[0]
# Everything of ours lies below it.
LAKE_FOLDER = f"/{PurePosixPath(EXTRACT_FOLDER).parts[1]}"
# WebHDFS's own words.
AS_IT_IS, NO_LIMIT = 2**63 - 1, -1


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    with running(tmp_path_factory.mktemp("bad_days_home"), WORLD, "lake") as started:
        yield started


@dataclass(frozen=True)
class Begun:
    """A step that runs, in a process group of its own."""

    process: subprocess.Popen[bytes]
    output: Path

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ended(self) -> tuple[int, str]:
        """Its exit code and all it said."""
        code = self.process.wait(timeout=STEP_SECONDS)
        return code, self.output.read_text(encoding="utf-8")


@contextmanager
def begun(lake: PrivateStack, step: Step) -> Iterator[Begun]:
    """The step as a task runs it; dead at the latest afterwards."""
    environment, output = environment_of_tasks(lake), lake.home / "step.log"
    with output.open("wb") as told:
        process = subprocess.Popen(
            step.words(environment),
            env=environment,
            cwd=ROOT,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
    one = Begun(process, output)
    try:
        yield one
    finally:
        if process.poll() is None:
            one.kill()


def ended(lake: PrivateStack, step: Step) -> tuple[int, str]:
    with begun(lake, step) as one:
        return one.ended()


def last_lines(said: str) -> str:
    """About what a mail shows."""
    return "\n".join(said.splitlines()[-5:])


def batches(lake: PrivateStack, topic: str, part: str) -> set[str]:
    """The batches of a topic's checkpoint that are planned (``offsets``) or done (``commits``)."""
    folder = f"{checkpoint_of(topic)}/{part}"
    hdfs = client(lake.webhdfs_url, OWNER)
    names = hdfs.list(folder) if hdfs.status(folder, strict=False) else []
    return {name for name in names if name.isdecimal()}


def is_mid_write(lake: PrivateStack, topic: str) -> bool:
    return bool(batches(lake, topic, "offsets") - batches(lake, topic, "commits"))


def archived_whole_by_the_next_run(lake: PrivateStack) -> None:
    """One more run ends well, and the tables hold each offset up to its beginning exactly once."""
    ends = {topic: ends_of(lake.kafka("archiver"), topic) for topic in ARCHIVED}
    code, said = ended(lake, ARCHIVE)
    assert code == 0, said[-4_000:]
    with sql_session(lake.hive("admin")) as sql:
        for topic, table in ARCHIVED.items():
            held = sql.rows(
                "SELECT source_partition, count(*), count(DISTINCT source_offset), "
                f"min(source_offset), max(source_offset) FROM {DATABASE}.{table} "
                "GROUP BY source_partition"
            )
            reached = {}
            for partition, rows, offsets, first, last in held:
                assert (rows, offsets, first) == (last + 1, last + 1, 0), (table, partition)
                reached[partition] = last + 1
            assert all(reached.get(one, 0) >= end for one, end in ends[topic].items()), table


def takes_writes(lake: PrivateStack) -> bool:
    """Refused by a NameNode that is away or, after its start, in safe mode."""
    try:
        client(lake.webhdfs_url, OWNER).write(f"{LAKE_FOLDER}/probe", b"", overwrite=True)
    except (HdfsError, requests.RequestException):
        return False
    return True


def set_space_quota(lake: PrivateStack, limit_bytes: int) -> None:
    """What HDFS may hold of the lake; below what it holds already, it takes no block more."""
    answer = requests.put(
        f"{lake.webhdfs_url}/webhdfs/v1{LAKE_FOLDER}",
        params={
            "op": "SETQUOTA",
            "user.name": SUPERUSER,
            "namespacequota": str(AS_IT_IS),
            "storagespacequota": str(limit_bytes),
        },
        timeout=30,
    )
    answer.raise_for_status()


@contextmanager
def full(lake: PrivateStack) -> Iterator[None]:
    set_space_quota(lake, 1)
    try:
        yield
    finally:
        set_space_quota(lake, NO_LIMIT)


def test_an_archive_that_is_killed_mid_write_goes_on_where_it_was(lake: PrivateStack) -> None:
    with begun(lake, ARCHIVE) as archive:
        eventually(
            lambda: is_mid_write(lake, TRANSACTION_TOPIC),
            within_seconds=STEP_SECONDS,
            what="a batch that is planned and not done",
        )
        archive.kill()
    assert is_mid_write(lake, TRANSACTION_TOPIC), "the kill came too late to prove anything"
    archived_whole_by_the_next_run(lake)


def test_a_namenode_that_dies_under_a_run_costs_no_row(lake: PrivateStack) -> None:
    before = supervisor.process(lake.place, "namenode").pid
    planned = batches(lake, FRAUD_TOPIC, "offsets")
    with begun(lake, ARCHIVE) as archive:
        eventually(
            lambda: batches(lake, FRAUD_TOPIC, "offsets") - planned,
            within_seconds=STEP_SECONDS,
            what="a new batch of verdicts",
        )
        os.killpg(before, signal.SIGKILL)
        code, said = archive.ended()
    assert code != 0
    assert "The lake failed" in last_lines(said), said[-4_000:]
    assert supervisor.process(lake.place, "namenode").pid != before
    eventually(lambda: takes_writes(lake), within_seconds=120, what="a NameNode that takes writes")
    archived_whole_by_the_next_run(lake)


def test_a_full_lake_stops_jobs_with_its_reason_and_they_go_on_with_space(
    lake: PrivateStack,
) -> None:
    hdfs = client(lake.webhdfs_url, OWNER)
    with full(lake):
        code, said = ended(lake, EXTRACT)
        assert code != 0
        assert "quota of the folder is used up" in said
        assert "free disk space" in said
        code, said = ended(lake, ARCHIVE)
        assert code != 0
        assert "quota of /fraudwatch is exceeded" in last_lines(said), said[-4_000:]
        with sql_session(lake.hive("admin")) as sql:  # what is there can still be read
            assert sql.rows(f"SELECT count(*) FROM {DATABASE}.{ARCHIVED[TRANSACTION_TOPIC]}")
    drafts = [
        name for _, _, names in hdfs.walk(EXTRACT_FOLDER) for name in names if "draft" in name
    ]
    assert not drafts
    code, said = ended(lake, EXTRACT)
    assert code == 0, said[-4_000:]
    archived_whole_by_the_next_run(lake)
