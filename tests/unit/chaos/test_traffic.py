from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from chaos import traffic
from chaos.ledger import Ledger, accepted_ids
from chaos.load import Load
from chaos.traffic import Door, Traffic
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.samples import a_purchase
from fraudwatch.stack.place import Unusable

Answer = Callable[[list[dict[str, object]]], httpx.Response]
TAKEN = {"accepted": 1, "repeated": 0}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger")
    yield ledger
    ledger.close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(traffic, "GARBAGE_EVERY_BATCHES", 5)


def a_door(ledger: Ledger, answer: Answer) -> Door:
    def handle(request: httpx.Request) -> httpx.Response:
        return answer(json.loads(request.content))

    endpoint = IngestEndpoint("http://edge", "a-key-for-this-test")
    return Door(IngestApi(endpoint, httpx.MockTransport(handle)), ledger)


def test_the_same_batch_is_sent_until_it_is_acknowledged_and_only_then_noted(
    ledger: Ledger,
) -> None:
    sent: list[object] = []

    def answer(batch: list[dict[str, object]]) -> httpx.Response:
        sent.append(batch)
        assert accepted_ids(ledger.path) == set()
        if len(sent) == 1:
            raise httpx.ConnectError("refused")
        if len(sent) == 2:
            raise httpx.ReadError("killed before it answered")
        return httpx.Response(503 if len(sent) == 3 else 202, json=TAKEN)

    assert a_door(ledger, answer).deliver([a_purchase(source="chaos", id="1")]) == 3
    assert accepted_ids(ledger.path) == {"chaos:1"}
    assert all(batch == sent[0] for batch in sent)


def test_an_edge_that_nobody_waits_for_any_more_is_given_up(ledger: Ledger) -> None:
    door = a_door(ledger, lambda _: httpx.Response(503))
    door.abandoned.set()
    with pytest.raises(Unusable):
        door.deliver([a_purchase()])
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
        return httpx.Response(202, json=TAKEN)

    return answer


def test_refused_batches_are_counted_and_never_promised(ledger: Ledger) -> None:
    edge = an_edge(lambda: flowing, refuses=True)
    flowing = Traffic(a_door(ledger, edge), Load(7, "chaos"), 5_000)
    flowing.run()
    assert flowing.refused_batches == 2
    assert flowing.sent == 10 * 500
    noted = accepted_ids(ledger.path)
    assert not [one for one in noted if "garbage" in one]
    assert 4_800 < len(noted) < 5_000


def test_an_edge_that_takes_garbage_ends_the_proof(ledger: Ledger) -> None:
    edge = an_edge(lambda: flowing, refuses=False)
    flowing = Traffic(a_door(ledger, edge), Load(7, "chaos"), 5_000)
    with pytest.raises(Unusable, match="breaks the contract"):
        flowing.run()
