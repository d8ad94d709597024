"""The bridge and the real statsd_exporter write the same series for the same packets."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
MAPPING = ROOT / "monitoring/statsd/mapping.yml"
OWN = ("statsd_", "python_", "process_", "go_", "promhttp_")
LAST = "the_last_packet"
PACKETS = (
    b"airflow.ti_failures,dag_id=a,task_id=b:1|c",
    b"airflow.ti_failures,dag_id=a,task_id=b:1|c\nairflow.ti_failures,dag_id=a,task_id=c:2|c",
    b"airflow.ti.finish,dag_id=a,task_id=b,state=up_for_retry:1|c|@0.1",
    b"airflow.dagrun.duration.success,dag_id=a,run_type=scheduled:93123.456789|ms",
    b"airflow.dagrun.duration.failed,run_type=manual,dag_id=a-b.c:50|ms",
    b"airflow.dagrun.dependency-check,dag_id=a:2|ms|@0.3",
    b"airflow.pool.open_slots,pool_name=default_pool:128|g",
    b"airflow.executor.running_tasks:+2|g\nairflow.executor.running_tasks:-1|g",
    b"airflow.dag_processing.last_num_of_db_queries.train_model_py:7|g",
    b"airflow.local_task_job.task_exit,job_id=17:1|c\nairflow.airflow.io.load_filesystems:3|ms",
    b"airflow.scheduler_heartbeat:1|c:1|c\n\n9odd--name.x:1|c",
    b"fraudwatch_job_seconds,job=refine_day:123456.7|ms",
    b"fraudwatch_job_failures,job=refine_day:0|c",
    b"fraudwatch_calibration_slope:0|g\nfraudwatch_calibration_slope:-0.25|g",
    b"fraudwatch_job_finished_at_seconds,job=refine_day:1796022329.125|g",
    # Refused by both.
    b"a\nb:1\nc:1|s\nd:x|c\ne:-1|c\n:1|c\n\xff:1|c\nf:1|c|x",
    b"airflow.ti_failures:1|g\nfraudwatch_job_seconds_sum:1|c",
    f"{LAST}:1|c".encode(),
)


def exporter_program() -> str | None:
    """Find statsd_exporter on the path, or where ``go install`` puts it."""
    folders = [os.environ.get("GOPATH", "~/go") + "/bin", *os.get_exec_path()]
    return shutil.which("statsd_exporter", path=os.pathsep.join(map(os.path.expanduser, folders)))


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def exporter_command(udp: int, http: int) -> list[str]:
    program = exporter_program()
    if program is None:
        pytest.skip(
            "statsd_exporter is not installed; "
            "go install github.com/prometheus/statsd_exporter@latest"
        )
    return [
        program,
        f"--statsd.mapping-config={MAPPING}",
        f"--statsd.listen-udp=127.0.0.1:{udp}",
        "--statsd.listen-tcp=",
        f"--web.listen-address=127.0.0.1:{http}",
    ]


@pytest.fixture
def bridge() -> Iterator[tuple[int, int]]:
    udp, http = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    environment = {
        "STATSD_BRIDGE_UDP_PORT": str(udp),
        "STATSD_BRIDGE_METRICS_PORT": str(http),
        "STATSD_BRIDGE_MAPPING_PATH": str(MAPPING),
    }
    command = [sys.executable, "-m", "exporters.statsd_bridge"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | environment) as process:
        # It answers once its signal handler is set: a stop before that is no clean stop.
        eventually(lambda: answers(http), within_seconds=30, what="the bridge")
        yield udp, http
        process.terminate()
    assert process.returncode == 0


@pytest.fixture
def exporter() -> Iterator[tuple[int, int]]:
    udp, http = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    with subprocess.Popen(exporter_command(udp, http), stderr=subprocess.DEVNULL) as process:
        yield udp, http
        process.terminate()


def scrape(http: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def answers(http: int) -> bool:
    try:
        return bool(scrape(http))
    except urllib.error.URLError:
        return False


def series_after_packets(
    udp: int, http: int
) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Send all packets and return the series that they made."""
    eventually(lambda: answers(http), within_seconds=30, what="the first scrape")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for packet in PACKETS:
            sender.sendto(packet, ("127.0.0.1", udp))
    eventually(lambda: f"\n{LAST} 1" in scrape(http), within_seconds=30, what="the last packet")
    # Without its types: the parser adds _total to counters, which neither of the two does.
    text = "".join(line for line in scrape(http).splitlines(keepends=True) if line[0] != "#")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.startswith(OWN)
    }


def test_both_write_the_same_series(exporter: tuple[int, int], bridge: tuple[int, int]) -> None:
    ours, theirs = series_after_packets(*bridge), series_after_packets(*exporter)
    assert ours.keys() == theirs.keys()
    assert ours == pytest.approx(theirs)


def test_the_bridge_alone_maps_drops_and_counts_bad_lines(bridge: tuple[int, int]) -> None:
    found = series_after_packets(*bridge)
    names = {name for name, _ in found}
    assert ("airflow_ti_failures", frozenset({("dag_id", "a"), ("task_id", "b")})) in found
    assert not names & {"dropped", "airflow_local_task_job_task_exit", "c", "e"}
    assert "statsd_bridge_bad_lines_total 10.0" in scrape(bridge[1])
