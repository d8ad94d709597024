from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from chaos import traffic
from chaos.ledger import AcknowledgementLedger, accepted_ids
from chaos.load import Load
from chaos.traffic import RetryingIngestClient, Traffic
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.samples import a_purchase
from fraudwatch.stack.home import StackError

Answer = Callable[[list[dict[str, object]]], httpx.Response]
ACCEPTED = {"accepted": 1, "repeated": 0}


@pytest.fixture
def ledger(tmp_path: Path) -> AcknowledgementLedger:
    return AcknowledgementLedger(tmp_path / "ledger")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(traffic, "GARBAGE_EVERY_BATCHES", 5)


def a_client(ledger: AcknowledgementLedger, answer: Answer) -> RetryingIngestClient:
    def handle(request: httpx.Request) -> httpx.Response:
        return answer(json.loads(request.content))

    endpoint = IngestEndpoint("http://edge", "a-key-for-this-test")
    return RetryingIngestClient(IngestApi(endpoint, httpx.MockTransport(handle)), ledger)


def test_the_same_batch_is_sent_until_acknowledged_and_only_then_recorded(
    ledger: AcknowledgementLedger,
) -> None:
    sent: list[object] = []

    def answer(batch: list[dict[str, object]]) -> httpx.Response:
        sent.append(batch)
        assert accepted_ids(ledger.path) == set()
        if len(sent) == 1:
            raise httpx.ConnectError("refused")
        if len(sent) == 2:
            raise httpx.ReadError("killed before it answered")
        return httpx.Response(503 if len(sent) == 3 else 202, json=ACCEPTED)

    assert (
        a_client(ledger, answer).send_until_acknowledged([a_purchase(source="chaos", id="1")]) == 3
    )
    assert accepted_ids(ledger.path) == {"chaos:1"}
    assert all(batch == sent[0] for batch in sent)


def test_an_abandoned_client_stops_retrying(ledger: AcknowledgementLedger) -> None:
    client = a_client(ledger, lambda _: httpx.Response(503))
    client.abandoned.set()
    with pytest.raises(StackError):
        client.send_until_acknowledged([a_purchase()])
    assert accepted_ids(ledger.path) == set()


def an_edge(running: Callable[[], Traffic], *, refuses: bool) -> Answer:
    batches = []

    def answer(batch: list[dict[str, object]]) -> httpx.Response:
        batches.append(batch)
        if len(batches) == 12:
            running().stopping.set()
        if refuses and any("garbage" in str(one["id"]) for one in batch):
            problem = {"index": 0, "field": "id", "reason": "is wrong"}
            return httpx.Response(422, json={"problems": [problem]})
        return httpx.Response(202, json=ACCEPTED)

    return answer


def test_refused_batches_are_counted_and_not_in_the_ledger(ledger: AcknowledgementLedger) -> None:
    edge = an_edge(lambda: flowing, refuses=True)
    flowing = Traffic(a_client(ledger, edge), Load(7, "chaos"), 5_000)
    flowing.run()
    assert flowing.refused_batches == 2
    assert flowing.sent == 10 * 500
    recorded = accepted_ids(ledger.path)
    assert not [one for one in recorded if "garbage" in one]
    assert 4_800 < len(recorded) < 5_000


def test_an_edge_that_accepts_garbage_ends_the_run(ledger: AcknowledgementLedger) -> None:
    edge = an_edge(lambda: flowing, refuses=False)
    flowing = Traffic(a_client(ledger, edge), Load(7, "chaos"), 5_000)
    with pytest.raises(StackError, match="breaks the contract"):
        flowing.run()
