from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import typer
import uvicorn
from fastapi import FastAPI, Header
from fastapi.responses import JSONResponse
from rich.console import Console
from typer.testing import CliRunner

from fraudwatch.adapters.datasets.ledger import Ledger, ReplayEntry
from fraudwatch.application.replay.ports import BatchResult, Ingest, ReplayFailed
from fraudwatch.cli.replay import replay
from fraudwatch.cli.replay_run import ReplayRun, Request

if TYPE_CHECKING:
    from tests.unit.application.replay.conftest import Clock, Edge, WriteMapping, WriteRows

KEY = "a-key-for-this-test"
app = typer.Typer()
app.command()(replay)


@pytest.fixture
def request_(
    rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    write_mapping: WriteMapping,
) -> Request:
    rows[3]["kind"] = "travel"
    return Request(file=write_rows(rows), mapping=write_mapping(mapping))


def perform(request: Request, home: Path, ingest: Ingest, clock: Clock) -> tuple[ReplayRun, str]:
    shown = StringIO()
    console = Console(file=shown, width=500)
    run = ReplayRun(request, home, clock=clock, sleep=clock.sleep, console=console)
    run.perform(ingest)
    run.print_summary()
    return run, shown.getvalue()


def changed(request: Request, **changes: Any) -> Request:
    from dataclasses import replace

    return replace(request, **changes)


def test_the_same_replay_is_refused_a_second_time_unless_forced(
    request_: Request, tmp_path: Path, edge: Edge, clock: Clock
) -> None:
    perform(request_, tmp_path, edge.client(), clock)
    # A copy under another name is the same content.
    copy = tmp_path / "copy.parquet"
    copy.write_bytes(request_.file.read_bytes())
    with pytest.raises(ReplayFailed, match=r"replayed into this home already .* --again"):
        perform(changed(request_, file=copy), tmp_path, edge.client(), clock)
    assert len(edge.requests) == 1
    run, printed = perform(changed(request_, repeat=True), tmp_path, edge.client(), clock)
    assert (run.tally.accepted, run.tally.repeated) == (0, 10)
    assert "0 accepted, 10 repeated" in printed


def test_another_range_mapping_or_home_is_another_replay(
    request_: Request,
    mapping: dict[str, Any],
    write_mapping: WriteMapping,
    tmp_path: Path,
    edge: Edge,
    clock: Clock,
) -> None:
    perform(request_, tmp_path, edge.client(), clock)
    perform(changed(request_, until_ms=1_577_836_800_000), tmp_path, edge.client(), clock)
    perform(request_, tmp_path / "other", edge.client(), clock)
    mapping["fields"]["merchant_id"] = "n"
    write_mapping(mapping)
    perform(request_, tmp_path, edge.client(), clock)
    assert edge.requests == [10, 1, 10, 10]


class Interrupting:
    """An edge in front of which somebody presses Ctrl-C."""

    def __init__(self, edge: Ingest, after: int, error: type[BaseException]) -> None:
        self._edge = edge
        self._left = after
        self._error = error

    def send(self, bodies: list[bytes]) -> BatchResult:
        if not self._left:
            raise self._error
        self._left -= 1
        return self._edge.send(bodies)

    def send_refunds(self, bodies: list[bytes]) -> BatchResult:
        return self._edge.send_refunds(bodies)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ReplayFailed])
def test_an_interrupted_replay_resumes_where_it_stopped(
    error: type[BaseException], request_: Request, tmp_path: Path, edge: Edge, clock: Clock
) -> None:
    slow = changed(request_, per_second=20)
    with pytest.raises(error):
        perform(slow, tmp_path, Interrupting(edge.client(), 4, error), clock)
    run, printed = perform(request_, tmp_path, edge.client(), clock)
    assert "Continues an interrupted replay after its first 4 rows" in printed
    assert run.tally.sent == 6
    assert len(edge.ids) == len(set(edge.ids)) == 10
    with pytest.raises(ReplayFailed, match="already"):
        perform(request_, tmp_path, edge.client(), clock)


def test_a_killed_replay_repeats_a_little_which_counts_as_repeated(
    request_: Request, tmp_path: Path, edge: Edge, clock: Clock
) -> None:
    perform(request_, tmp_path, edge.client(), clock)
    path = tmp_path / "replay" / "ledger.jsonl"
    begun = path.read_bytes().splitlines()[0]
    path.write_bytes(begun + b'\n{"replay": "cut sho')  # as a kill would leave it
    run, _ = perform(request_, tmp_path, edge.client(), clock)
    assert (run.tally.accepted, run.tally.repeated) == (0, 10)
    lines = path.read_bytes().splitlines()
    assert json.loads(lines[-1])["state"] == "finished"
    assert lines[1] == b'{"replay": "cut sho'


def test_the_ledger_keeps_only_the_last_entry_of_each_earlier_replay(
    request_: Request, tmp_path: Path, edge: Edge, clock: Clock
) -> None:
    path = tmp_path / "replay" / "ledger.jsonl"
    for _ in range(3):
        perform(changed(request_, repeat=True), tmp_path, edge.client(), clock)
    # The last entry of the first two, and both of the third.
    states = [json.loads(line)["state"] for line in path.read_bytes().splitlines()]
    assert states == ["finished", "begun", "finished"]
    with pytest.raises(ReplayFailed, match="already"):
        perform(request_, tmp_path, edge.client(), clock)


def test_a_long_replay_records_its_progress_periodically(
    request_: Request, tmp_path: Path, edge: Edge, clock: Clock
) -> None:
    perform(changed(request_, per_second=0.25), tmp_path, edge.client(), clock)
    lines = (tmp_path / "replay" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    noted = [(json.loads(line)["state"], json.loads(line)["position"]) for line in lines]
    # 4 s apart: more than 10 s have passed at every third purchase.
    assert noted == [
        ("begun", 0),
        ("reached", 4),
        ("reached", 7),
        ("reached", 10),
        ("finished", 10),
    ]


def test_the_ledger_has_no_personal_value_and_the_newest_entry_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for state, position in (("begun", 0), ("reached", 3)):
        ledger.write(ReplayEntry("r", state, position, "2026-01-01", "f"))  # type: ignore[arg-type]
    ledger.write(ReplayEntry("other", "finished", 9, "2026-01-01", "f"))
    assert ledger.last("r") == ReplayEntry("r", "reached", 3, "2026-01-01", "f")
    assert ledger.last("none") is None


@pytest.fixture
def live_edge(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    server_app = FastAPI()

    @server_app.post("/v1/transactions", status_code=202)
    def take(batch: list[dict[str, Any]], authorization: Annotated[str, Header()]) -> JSONResponse:
        if authorization != f"Bearer {KEY}":
            return JSONResponse({}, 401)
        answer = edge._take(batch)
        return JSONResponse(answer.json(), answer.status_code)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(server_app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("FRAUDWATCH_PORT_OFFSET", str(port - 8001))
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / ".env").write_text(f"INGEST_API_KEY={KEY}\n", encoding="utf-8")
        yield edge
        server.should_exit = True
        thread.join()


def test_the_command_replays_over_http_and_prints_one_json_object(
    request_: Request, live_edge: Edge
) -> None:
    arguments = [str(request_.file), "--mapping", str(request_.mapping), "--json"]
    arguments += ["--from", "2020-01-01", "--until", "2020-01-02T00:00:01Z"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["seconds"] > 0
    assert printed["rows_per_second"] > 0
    del printed["seconds"], printed["rows_per_second"]
    assert printed == {
        "file": str(request_.file),
        "mapping": str(request_.mapping),
        "rows_read": 6,
        "sent": 6,
        "accepted": 6,
        "repeated": 0,
        "refunds": {"sent": 0, "accepted": 0, "repeated": 0},
        "from": "2020-01-01T00:00:00+00:00",
        "until": "2020-01-02T00:00:01+00:00",
    }
    assert live_edge.ids == ["t-a2", "t-a3", "t-a5", "t-a4", "t-a1", "t-a6"]
    repeat = CliRunner().invoke(app, arguments)
    assert (repeat.exit_code, "--again" in repeat.stderr) == (1, True)
    assert json.loads(repeat.stdout)["sent"] == 0


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--rate", "0"], 2, "--rate must be above 0"),
        (["--rate", "5", "--as-fast-as-possible"], 2, "--rate must be above 0"),
        (["--from", "lately"], 2, "is not a date or instant"),
        (["--from", "2020-01-02", "--until", "2020-01-02"], 2, "--from must be before --until"),
        (["--from", "2030-01-01"], 1, "the file's purchases are between 2019-12-31T23:59:59"),
    ],
)
@pytest.mark.usefixtures("live_edge")
def test_wrong_use_is_distinguished_from_failure(
    options: list[str], code: int, sentence: str, request_: Request
) -> None:
    arguments = [str(request_.file), "--mapping", str(request_.mapping), *options]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code
    assert sentence in " ".join(done.stderr.replace("│", "").split())


@pytest.mark.usefixtures("live_edge")
def test_a_wrong_mapping_is_wrong_use_and_a_bad_row_a_failure(
    request_: Request,
    rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_mapping: WriteMapping,
    write_rows: WriteRows,
) -> None:
    arguments = [str(request_.file), "--mapping", str(request_.mapping), "--json"]
    write_rows([rows[0] | {"when": "lately"}, *rows[1:]])
    bad = CliRunner().invoke(app, arguments)
    assert (bad.exit_code, "row 1: event_at_ms (column when)" in bad.stderr) == (1, True)
    mapping["fields"]["merchant_id"] = "{shop}"
    write_mapping(mapping)
    wrong = CliRunner().invoke(app, arguments)
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "no column shop" in wrong.stderr


def test_without_a_key_the_fix_is_given(
    request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path / "empty"))
    done = CliRunner().invoke(app, [str(request_.file), "--mapping", str(request_.mapping)])
    assert done.exit_code == 1
    assert "INGEST_API_KEY" in done.stderr
