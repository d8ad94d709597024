"""Build and start docker-compose.yml for real, and send a purchase through the containers.

Images of other projects come from a registry, or are stand-ins (tests/compose). ``make proof``
runs it, as root and with Docker.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.airflow_answers import Run
from fraudwatch.adapters.edge.airflow_api import AirflowApi, AirflowEndpoint
from fraudwatch.samples import a_purchase
from tests.compose.compose_project import Platform, docker_daemon, platform
from tests.compose.standin_images import provide
from tests.conftest import WORLD
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(3_600)]
SOURCE = "smoke"
FIRST = f"{SOURCE}:first-0"
MOST_POSTS = 30
DAG = "archive_topics"
ROW = """
import json
from fraudwatch.adapters.store.session import connect
from fraudwatch.settings import CassandraSettings
rows = connect(CassandraSettings()).execute(
    "SELECT outcome FROM fraudwatch.verdict_by_transaction WHERE transaction_id = %s", ("{id}",))
print(json.dumps([row["outcome"] for row in rows]))
"""
ANSWERS = """
import json
from fraudwatch.stack.compose.answers import answers
print(json.dumps([answers(page) for page in {pages}]))
"""
SCRAPED = {
    "detector": 9102,
    "persister": 9103,
    "tally": 9105,
    "notifier": 9117,
    "webhooks": 9118,
    "ingest": 8001,
    "shop": 8000,
    "kafka_lag": 9107,
    "kafka": 9110,
    "cassandra": 9111,
}
SCRAPED_OF_LAKE = {"namenode": 9112, "datanode": 9113, "metastore": 9114, "thrift_server": 9115}
# Services that look at the machine itself; none of them is in the profiles below.
PRIVILEGED_USERS = {"", "0", "root"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if os.getuid() != 0:
        pytest.skip("only root can start a Docker daemon and import an image")
    if not shutil.which("docker") or not shutil.which("dockerd"):
        pytest.skip("docker and dockerd are not installed here")
    if subprocess.run(["docker", "compose", "version"], check=False).returncode:
        pytest.skip("docker has no plugin compose here")
    folder = tmp_path_factory.mktemp("compose")
    with docker_daemon(folder), platform(folder, WORLD) as running:
        provide(("kafka", "cassandra"), folder / "speed")
        running.up("speed")
        yield running


# One time for all, so that a purchase that is sent again is the same one.
BOUGHT_AT_MS = time.time_ns() // 1_000_000


def posted(project: Platform, purchase_id: str) -> httpx.Response:
    purchase = a_purchase(source=SOURCE, id=purchase_id, event_at_ms=BOUGHT_AT_MS)
    return httpx.post(
        f"{project.url('INGEST_PORT')}/v1/transactions",
        params={"wait_seconds": 5},
        headers={"Authorization": f"Bearer {project.settings['INGEST_API_KEY']}"},
        content=encode([purchase]),
        timeout=30,
    )


def answered_with_verdict(project: Platform, series: str) -> tuple[str, str]:
    """Post purchases until one gets its verdict in the response; return its id and outcome.

    The first micro-batch compiles and works off the shop's history: its purchases wait longer.
    """
    for number in range(MOST_POSTS):
        answer = posted(project, f"{series}-{number}")
        assert answer.status_code in {200, 202}, answer.text
        if verdicts := answer.json()["verdicts"]:
            return f"{SOURCE}:{series}-{number}", verdicts[0]["outcome"]
    raise AssertionError(f"none of {MOST_POSTS} purchases had a verdict within five seconds")


def stored_outcomes(project: Platform, transaction_id: str) -> list[str]:
    """Wait until a verdict has its row in Cassandra, and return the rows' outcomes."""
    code = ROW.format(id=transaction_id)
    return eventually(
        lambda: list(project.run_in("console", code)), within_seconds=120, what=transaction_id
    )


def unanswered(project: Platform, service: str, ports: Mapping[str, int]) -> list[str]:
    """Return the pages of metrics that do not answer inside this service's container."""
    pages = [f"http://{name}:{port}/metrics" for name, port in ports.items()]
    answered = project.run_in(service, ANSWERS.format(pages=pages))
    return [page for page, is_there in zip(pages, answered, strict=True) if not is_there]


def test_a_purchase_gets_a_verdict_a_row_and_a_console(project: Platform) -> None:
    transaction_id, outcome = answered_with_verdict(project, "first")
    assert outcome in {"approve", "review", "challenge", "decline"}
    assert stored_outcomes(project, transaction_id) == [outcome]
    # The first one may have had its verdict after its response; it has its row as well.
    assert len(stored_outcomes(project, FIRST)) == 1

    page = httpx.get(f"{project.url('CONSOLE_PORT')}/_stcore/health")
    assert (page.status_code, page.text) == (200, "ok")
    # Every process serves its metrics to the others, and none of them to the machine.
    assert unanswered(project, "console", SCRAPED) == []


def test_what_was_stored_survives_new_containers(project: Platform) -> None:
    before = stored_outcomes(project, FIRST)
    project.compose("down", "--timeout", "30")
    project.up("speed")
    # Sent again after the restart: ingest finds it in the store, and it gets no other verdict.
    repeated = eventually(
        lambda: posted(project, "first-0").json()["verdicts"],
        within_seconds=60,
        what="the answer to a repeated purchase",
    )
    assert [one["outcome"] for one in repeated] == before
    answered_with_verdict(project, "second")
    assert stored_outcomes(project, FIRST) == before


def test_no_container_has_rights_or_shows_a_secret(project: Platform) -> None:
    secrets = {v for k, v in project.settings.items() if k.endswith(("_PASSWORD", "_KEY"))}
    containers = project.containers()
    assert len(containers) >= 10
    for one in containers:
        assert one["Config"]["User"] not in PRIVILEGED_USERS
        assert one["HostConfig"]["ReadonlyRootfs"] is True
        assert one["HostConfig"]["CapDrop"] == ["ALL"]
        assert one["HostConfig"]["Memory"] > 0
        shown = str(one["Config"])
        assert [secret for secret in secrets if secret in shown] == []


def is_ended(one: Run, triggered: Run) -> bool:
    return one.run_id == triggered.run_id and one.has_ended


def test_a_dag_runs_over_the_lake(project: Platform, tmp_path: Path) -> None:
    provide(("namenode", "postgres", "mailbox", "statsd_bridge"), tmp_path)
    project.up("batch")
    assert unanswered(project, "airflow_scheduler", SCRAPED_OF_LAKE) == []
    password = project.settings["AIRFLOW_OPERATOR_PASSWORD"]
    with AirflowApi(AirflowEndpoint(project.url("AIRFLOW_PORT"), "operator", password)) as airflow:
        airflow.pause(DAG, is_paused=False)
        run = airflow.trigger(DAG, {})
        ended = eventually(
            lambda: next((one for one in airflow.runs(DAG, 20) if is_ended(one, run)), None),
            within_seconds=900,
            what=f"the end of {DAG}",
            every_seconds=5,
        )
        assert ended is not None
        assert ended.state == "success"
