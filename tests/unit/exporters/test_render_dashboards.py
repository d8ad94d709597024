"""Dashboards are drawn from Grafana's JSON and a Prometheus that answers over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from matplotlib.image import imread

from exporters.render_dashboards import __main__ as command
from exporters.render_dashboards.dashboard_files import read_dashboards
from exporters.render_dashboards.range_queries import TimeRange
from exporters.render_dashboards.unit_text import with_unit

LABELS = {"group": "detector", "job": "kafka", "topic": "fraud_topic", "service": "kafka"}


def matrix(form: dict[str, str]) -> dict[str, Any]:
    """Two points of one series; none for the controller, NaN for the offline partitions."""
    query = form["query"]
    if "activecontroller" in query:
        return no_series(form)
    value = "NaN" if "offlinepartitions" in query else "+Inf" if "retention" in query else "3"
    values = [[float(form["start"]), value], [float(form["end"]), value]]
    return {"status": "success", "data": {"result": [{"metric": LABELS, "values": values}]}}


def no_series(_: dict[str, str]) -> dict[str, Any]:
    return {"status": "success", "data": {"result": []}}


@contextmanager
def prometheus(answer: Any = matrix) -> Iterator[tuple[str, list[dict[str, str]]]]:
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(text).items()}
            asked.append(form)
            body = json.dumps(answer(form)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["dashboards", *words])
    return command.main()


def test_a_dashboard_becomes_a_picture_and_a_count_of_series(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with prometheus() as (address, asked):
        words = ("kafka", "--prometheus", address, "--folder", str(tmp_path), "--json")
        assert run(monkeypatch, *words) == 0
    [drawn] = json.loads(capsys.readouterr().out)["dashboards"]
    series = {panel["title"]: panel["series"] for panel in drawn["panels"]}
    assert series["Broker answers"] == 1
    assert series["Active controllers"] == 0
    assert series["Offline partitions"] == 0, "NaN is no value"
    assert series["Retention left, least"] == 1, "infinite is a value"
    assert not [form for form in asked if "$" in form["query"]]
    picture = imread(tmp_path / "kafka.png")
    assert picture.shape[1] == 1920
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 100


def test_the_table_says_which_panels_have_no_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with prometheus() as (address, _):
        words = ("kafka", "--prometheus", address, "--folder", str(tmp_path))
        assert run(monkeypatch, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  no data  Active controllers" in lines
    assert "        1  Broker answers" in lines


def test_every_dashboard_can_be_drawn_without_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with prometheus(no_series) as (address, _):
        assert run(monkeypatch, "--prometheus", address, "--folder", str(tmp_path), "--json") == 0
    drawn = json.loads(capsys.readouterr().out)["dashboards"]
    assert {panel["series"] for board in drawn for panel in board["panels"]} == {0}
    assert len(list(tmp_path.glob("*.png"))) == len(drawn) == 7


def test_a_refused_query_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with prometheus(lambda _: {"status": "error", "error": "parse error"}) as (address, _):
        words = ("kafka", "--prometheus", address, "--folder", str(tmp_path))
        assert run(monkeypatch, *words) == 1
    assert "refuses min(fraudwatch_kafka_reachable): parse error" in capsys.readouterr().err


def test_a_prometheus_that_is_down_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with prometheus() as (address, _):
        pass
    words = ("kafka", "--prometheus", address, "--folder", str(tmp_path))
    assert run(monkeypatch, *words) == 1
    assert "start the stack, or name another address" in capsys.readouterr().err


def test_an_unknown_dashboard_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, "sales")
    assert "no dashboard sales; there are batch, cassandra" in capsys.readouterr().err


def test_limits_colour_values() -> None:
    [hosts] = [board for board in read_dashboards(command.FOLDER) if board.name == "hosts"]
    [disk] = [panel for panel in hosts.panels if panel.title == "Free disk"]
    assert [disk.colour(share) for share in (0.05, 0.1, 0.5)] == ["red", "yellow", "green"]


def test_rates_span_four_scrapes_and_at_least_a_step() -> None:
    assert TimeRange(0, 600, 10).rate_interval == "40s"
    assert TimeRange(0, 86_400, 10).rate_interval == "370s"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0042, "s", "4.2 ms"),
        (90, "s", "1.5 min"),
        (-30, "s", "-30 s"),
        (float("inf"), "s", "∞"),
        (3 * 2**30, "bytes", "3 GiB"),
        (2048, "Bps", "2 KiB/s"),
        (0.123, "percentunit", "12.3 %"),
        (1, "bool_yes_no", "Yes"),
        (0, "bool_yes_no", "No"),
        (41.26, "cps", "41.3/s"),
        (1_234_567, "short", "1.23 M"),
        (0, "short", "0"),
    ],
)
def test_values_are_short_and_have_their_unit(value: float, unit: str, text: str) -> None:
    assert with_unit(value, unit) == text
