from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from statsd import StatsClient

from exporters.statsd_bridge.lines import BadLine
from exporters.statsd_bridge.mapping import BadMapping, load_mapping
from exporters.statsd_bridge.receiving import Receiver, listen
from exporters.statsd_bridge.series import Series
from tests.waiting import eventually

SHIPPED = Path(__file__).parents[3] / "monitoring/statsd/mapping.yml"
DEFAULTS = """
defaults:
  observer_type: histogram
  histogram_options: {buckets: [0.5, 1, 10]}
"""


def load(folder: Path, text: str) -> Series:
    path = folder / "mapping.yml"
    path.write_text(text, encoding="utf-8")
    return Series(load_mapping(path))


def scraped(series: Series) -> list[str]:
    registry = CollectorRegistry()
    registry.register(series)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_counters_add_and_gauges_change(tmp_path: Path) -> None:
    series = load(tmp_path, DEFAULTS)
    for line in (b"a.c,x=1:1|c", b"a.c,x=1:2|c", b"a.c,y=1:5|c", b"g:5|g", b"g:-2|g", b"g:+1|g"):
        series.receive(line)
    assert scraped(series) == ['a_c{x="1"} 3.0', 'a_c{y="1"} 5.0', "g 4.0"]
    series.receive(b"g:1|g")
    assert scraped(series)[-1] == "g 1.0"


def test_timers_are_histograms_in_seconds(tmp_path: Path) -> None:
    series = load(tmp_path, DEFAULTS)
    for line in (b"t,x=1:500|ms", b"t,x=1:700|ms|@0.5", b"t,x=1:20000|ms"):
        series.receive(line)
    assert scraped(series) == [
        't_bucket{le="0.5",x="1"} 1.0',
        't_bucket{le="1",x="1"} 3.0',
        't_bucket{le="10",x="1"} 3.0',
        't_bucket{le="+Inf",x="1"} 4.0',
        't_count{x="1"} 4.0',
        't_sum{x="1"} 21.9',
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [(b"t:1|ms", b"t:1|c"), (b"t:1|ms", b"t_sum:1|c"), (b"t_sum:1|g", b"t:1|ms")],
)
def test_one_name_has_one_kind(tmp_path: Path, first: bytes, second: bytes) -> None:
    series = load(tmp_path, DEFAULTS)
    series.receive(first)
    before = scraped(series)
    with pytest.raises(BadLine, match="already part of another metric"):
        series.receive(second)
    assert scraped(series) == before


def test_mappings_rename_label_and_drop(tmp_path: Path) -> None:
    series = load(
        tmp_path,
        DEFAULTS
        + """
mappings:
- {match: secret.*, name: dropped, action: drop}
- {match: "*.of.*", name: "${1}_files", labels: {file: $2, kind: dag}}
- {match: "*.*.*", name: never}
""",
    )
    for line in (b"secret.a:1|c", b"secret.a.b.c:1|c", b"dag.of.x_py,kind=other:3|g"):
        series.receive(line)
    assert scraped(series) == ['dag_files{file="x_py",kind="dag"} 3.0', "secret_a_b_c 1.0"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "mapping.yml"),
        ("defaults: {observer_type: summary}", "observer_type"),
        (DEFAULTS.replace("[0.5, 1, 10]", "[1, 0.5]"), "do not rise"),
        (DEFAULTS + "  ttl: 1h\n", "ttl"),
        (DEFAULTS + "mappings: [{match: a.*, name: a, ttl: 1h}]", "ttl"),
        (DEFAULTS + "mappings: [{match: a.*, name: a, match_type: regex}]", "match_type"),
        (DEFAULTS + "mappings: [{match: a(.*), name: a}]", "match"),
        (DEFAULTS + "mappings: [{match: a.*, name: a b}]", "name"),
        (DEFAULTS + "mappings: [{match: a.*, name: a, labels: {xy: $2}}]", "wildcard"),
        (DEFAULTS + "mappings: [{name: a}]", "match"),
    ],
)
def test_a_mapping_that_the_bridge_cannot_do_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadMapping, match=complaint):
        load(tmp_path, text)


def test_a_missing_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match="did not start"):
        load_mapping(tmp_path / "none.yml")


@pytest.fixture
def bad_lines() -> Counter:
    return Counter("bad_lines", "Refused", registry=None)


@pytest.fixture
def port(bad_lines: Counter) -> Iterator[tuple[int, Series]]:
    """Run a bridge with the shipped mapping on a free UDP port."""
    series, stopping = Series(load_mapping(SHIPPED)), threading.Event()
    with listen(0) as opened:
        runs = threading.Thread(target=Receiver(series, bad_lines).run, args=(opened, stopping))
        runs.start()
        yield opened.getsockname()[1], series
        stopping.set()
        runs.join()


def test_a_client_is_received_by_udp(port: tuple[int, Series]) -> None:
    number, series = port
    client = StatsClient("127.0.0.1", number)
    client.incr("fraudwatch_job_failures,job=refine_day")
    client.timing("fraudwatch_job_seconds,job=refine_day", 2_000)
    client.gauge("slope", -0.5)  # sent as 0, then a change
    lines = eventually(
        lambda: scraped(series)[-1:] == ["slope -0.5"] and scraped(series),
        within_seconds=10, what="the packets",
    )  # fmt: skip
    assert 'fraudwatch_job_failures{job="refine_day"} 1.0' in lines
    assert 'fraudwatch_job_seconds_bucket{job="refine_day",le="2.5"} 1.0' in lines


def test_bad_lines_of_a_packet_are_counted_and_the_others_kept(
    port: tuple[int, Series], bad_lines: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    number, series = port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"\n".join([b"bad"] * 30) + b"\n\nairflow.a:1|c\n", ("127.0.0.1", number))
    eventually(lambda: scraped(series), within_seconds=10, what="the good line")
    assert scraped(series) == ["airflow_a 1.0"]
    assert bad_lines._value.get() == 30
    assert caplog.text.count("refused the StatsD line") == 20
