from __future__ import annotations

import importlib.util
import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any, ClassVar

import pytest

from fraudwatch.stack.home import ROOT

CONTRACT = {
    "deadline_ms": 400,
    "defaults": [
        {"up_to_eur_cents": 5_000, "outcome": "approve"},
        {"up_to_eur_cents": None, "outcome": "review"},
    ],
}
PURCHASE = {"source": "shop", "id": "1"}


def load() -> ModuleType:
    path = ROOT / "clients/python/fraudwatch_deadline/__init__.py"
    spec = importlib.util.spec_from_file_location("fraudwatch_deadline", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


deadline = load()


class Ingest(BaseHTTPRequestHandler):
    """Ingest as the client meets it: fast, slow, dripping or refusing."""

    posted: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    verdicts: ClassVar[list[dict[str, Any]]] = []
    seconds: ClassVar[float] = 0.0
    drips: ClassVar[bool] = False
    status: ClassVar[int] = 200

    def do_GET(self) -> None:
        self._answer(200, CONTRACT)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.posted.append((self.path, body))
        time.sleep(self.seconds)
        self._answer(self.status, {"verdicts": self.verdicts, "pending": []})

    def _answer(self, status: int, document: Any) -> None:
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        for byte in text:
            self.wfile.write(bytes([byte]))
            if self.drips and self.command == "POST":
                time.sleep(0.05)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def ingest() -> type[Ingest]:
    class Fresh(Ingest):
        posted: ClassVar[list[tuple[str, dict[str, Any]]]] = []

    return Fresh


@pytest.fixture
def url(ingest: type[Ingest]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ingest)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that left
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_verdict_in_time_decides(ingest: type[Ingest], url: str) -> None:
    ingest.verdicts = [{"outcome": "decline", "score": 1.0}]
    client = deadline.DeadlineClient(url, "key", "shop")
    decision = client.decide(PURCHASE, amount_eur_cents=1)
    assert (decision.outcome, decision.is_default, client.late) == ("decline", False, [])
    assert ingest.posted[0][0] == "/v1/transactions?wait_seconds=0.400"


@pytest.mark.parametrize("drips", [False, True])
def test_after_the_deadline_the_default_decides_and_the_purchase_is_sent_later(
    ingest: type[Ingest], url: str, *, drips: bool
) -> None:
    ingest.verdicts, ingest.drips = [{"outcome": "decline"}], drips
    ingest.seconds = 0.0 if drips else 1.5
    client = deadline.DeadlineClient(url, "key", "shop")
    began = time.monotonic()
    assert client.decide(PURCHASE, amount_eur_cents=5_000).outcome == "approve"
    assert time.monotonic() - began < 1.2
    assert client.decide(PURCHASE, amount_eur_cents=5_001).outcome == "review"
    ingest.seconds, ingest.drips = 0.0, False
    assert client.send_late() == 0
    sent = [body for path, body in ingest.posted if path == "/v1/transactions"]
    assert sent == [
        PURCHASE | {"applied_default": "approve"},
        PURCHASE | {"applied_default": "review"},
    ]


def test_a_pending_purchase_is_decided_by_default(ingest: type[Ingest], url: str) -> None:
    ingest.status = 202
    client = deadline.DeadlineClient(url, "key", "shop")
    assert client.decide(PURCHASE, amount_eur_cents=1).is_default


@pytest.mark.parametrize(("status", "left"), [(503, 2), (429, 2), (401, 2), (422, 0), (409, 0)])
def test_what_ingest_refuses_for_good_keeps_nothing_back(
    ingest: type[Ingest], url: str, status: int, left: int
) -> None:
    client = deadline.DeadlineClient(url, "key", "shop", late=[PURCHASE, PURCHASE])
    ingest.status = status
    assert client.send_late() == left


def test_ingest_that_is_away_delays_no_decision(url: str) -> None:
    client = deadline.DeadlineClient(url, "key", "shop")
    client.url = "http://127.0.0.1:9"
    assert client.decide(PURCHASE, amount_eur_cents=1).outcome == "approve"
    assert client.send_late() == 1


def test_without_a_contract_there_is_no_client() -> None:
    with pytest.raises(deadline.ContractUnavailable):
        deadline.DeadlineClient("http://127.0.0.1:9", "key", "shop")
