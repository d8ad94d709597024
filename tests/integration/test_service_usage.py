"""The exporter of usage sees every service of a running stack, its restarts and its end."""

from __future__ import annotations

import os
import signal

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fraudwatch.observability.catalogue.service_usage import MACHINE, SERVICE_USAGE
from fraudwatch.stack import supervisor
from fraudwatch.stack.private_stack import PrivateStack
from tests.waiting import eventually

pytestmark = pytest.mark.engines

SERVERS = {"kafka", "cassandra", "shop", "ingest", "detector", "persister", "tally", "console"}
ONESHOTS = {"kafka_setup", "cassandra_setup"}


def published(stack: PrivateStack) -> dict[tuple[str, str], float]:
    """Return every sample by name and its first label."""
    page = httpx.get(
        f"http://127.0.0.1:{stack.port('service_usage', 'metrics')}/metrics",
        timeout=30,
        trust_env=False,
    ).text
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_every_name_of_the_catalogue_and_every_server_is_published(stack: PrivateStack) -> None:
    found = published(stack)
    declared = {metric.name for section in (SERVICE_USAGE, MACHINE) for metric in section.metrics}
    assert declared - {name for name, _ in found} == set()
    services = {label for name, label in found if name == "fraudwatch_service_up"}
    assert services >= SERVERS | {"service_usage", "kafka_lag", "watchdog"}
    assert not services & ONESHOTS
    for service in ("kafka", "cassandra"):
        resident = found["container_memory_working_set_bytes", service]
        assert 100e6 < found["container_memory_rss", service] < resident < 4e9
        assert found["container_cpu_usage_seconds_total", service] > 1
    # Python and the Java process that it started.
    assert found["container_processes", "detector"] >= 2
    assert {key for name, key in found if name == "fraudwatch_key_made_at_seconds"} == {
        "dead_letter",
        "master",
        "token",
    }


def test_readiness_is_that_of_the_watchdogs_probes(stack: PrivateStack) -> None:
    eventually(
        lambda: published(stack).get(("fraudwatch_service_ready", "tally")) == 1,
        within_seconds=120,
        what="the watchdog's word on the tally",
    )


def test_a_restart_is_counted_and_a_stopped_service_is_down(stack: PrivateStack) -> None:
    def value(name: str) -> float:
        return published(stack)[f"fraudwatch_service_{name}", "tally"]

    restarts, started_at = value("restarts_total"), _started_at(stack)
    os.kill(supervisor.process(stack.home, "tally").pid, signal.SIGKILL)
    eventually(
        lambda: value("restarts_total") == restarts + 1, within_seconds=60, what="the restart"
    )
    assert value("up") == 1
    assert _started_at(stack) > started_at
    supervisor.call(stack.home, "stopProcess", "tally")
    try:
        assert (value("up"), value("ready"), value("given_up")) == (0, 0, 0)
    finally:
        supervisor.start_process(stack.home, "tally")
    eventually(lambda: value("up") == 1, within_seconds=60, what="the tally's start")


def _started_at(stack: PrivateStack) -> float:
    at = published(stack)["container_start_time_seconds", "tally"]
    assert at > psutil.boot_time()
    return at
