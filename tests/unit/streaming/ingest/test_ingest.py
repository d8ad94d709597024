from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.artefacts.source_file import load_source_contracts
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.datasets.mapping_keys import Refunds, Time
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.adapters.http.problem_json import MEDIA_TYPE
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryTopic,
    MemoryVerdicts,
    MemoryVerdictStore,
)
from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS, Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import (
    label_builder,
    purchase_builder,
    refund_builder,
)
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.application.replay.pace import Pace
from fraudwatch.application.replay.send import Replay, ReplayTally
from fraudwatch.domain.api_keys import Scope, presented_form
from fraudwatch.domain.disk_guard import DiskLimits
from fraudwatch.domain.messages.label import Label, LabelValue, Source
from fraudwatch.domain.messages.purchase import AppliedDefault
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import RateTable
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.samples import NOON_MS, a_purchase, a_reported_refund, a_verdict
from fraudwatch.stack.home import ROOT
from streaming.ingest.api import (
    IngestServices,
    create_app,
    public_routes,
)
from streaming.ingest.channel import (
    LABEL_METRICS,
    PURCHASE_METRICS,
    REFUND_METRICS,
    IngestChannel,
)
from streaming.ingest.contents import LARGEST_BATCH, LARGEST_BODY_BYTES
from streaming.ingest.full_disk import DiskGuardedTopic
from streaming.ingest.refunds import add_refunds
from streaming.ingest.sync_scoring import VerdictWaiter
from tests.ingest_keys import KEY, SANDBOX_KEY, SECRET, authorization
from tests.sandboxes import a_sandbox

HEADERS, SANDBOX_HEADERS = authorization(), authorization(SANDBOX_KEY)
REPORT = {
    "source": "shop",
    "id": "29380123-4",
    "verdict": "fraud",
    "by": "issuer",
    "known_at_ms": NOON_MS - 1,
}


REFUND = a_reported_refund(purchased_at_ms=NOON_MS - 2 * HOUR_MS, refunded_at_ms=NOON_MS - HOUR_MS)


class ScoredTopic(MemoryTopic):
    """A topic whose transactions are scored at once, except those in ``not_scored``.

    The verdict is published before ``publish`` returns: the earliest possible time.
    """

    def __init__(self, verdicts: MemoryVerdicts) -> None:
        super().__init__()
        self.verdicts = verdicts
        self.not_scored: set[str] = set()
        self.delay_seconds = 0.0

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        super().publish(messages)
        names = [decode(Transaction, value).transaction_id for _, value, _ in messages]
        scored_ids = [name for name in names if name not in self.not_scored]
        scoring = threading.Timer(self.delay_seconds, self._score, args=(scored_ids,))
        scoring.start()
        if not self.delay_seconds:
            scoring.join()

    def _score(self, names: list[str]) -> None:
        for name in names:
            self.verdicts.publish(a_verdict(transaction_id=name))


@pytest.fixture
def verdicts() -> MemoryVerdicts:
    return MemoryVerdicts(PendingVerdictRegistry())


@pytest.fixture
def topic(verdicts: MemoryVerdicts) -> ScoredTopic:
    return ScoredTopic(verdicts)


@pytest.fixture
def sandbox_verdicts() -> MemoryVerdicts:
    return MemoryVerdicts(PendingVerdictRegistry())


@pytest.fixture
def sandbox_topic(sandbox_verdicts: MemoryVerdicts) -> ScoredTopic:
    return ScoredTopic(sandbox_verdicts)


@pytest.fixture
def labels_topic() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def store() -> MemoryVerdictStore:
    return MemoryVerdictStore()


@pytest.fixture
def keys(tmp_path: Path) -> ApiKeyFile:
    file = ApiKeyFile(tmp_path / "api_keys" / "keys.json")
    for key in (KEY, SANDBOX_KEY):
        file.change(lambda _, key=key: key)  # type: ignore[misc]
    return file


@pytest.fixture
def client(
    tmp_path: Path,
    topic: ScoredTopic,
    labels_topic: MemoryTopic,
    verdicts: MemoryVerdicts,
    store: MemoryVerdictStore,
    keys: ApiKeyFile,
    sandbox_topic: ScoredTopic,
    sandbox_verdicts: MemoryVerdicts,
) -> TestClient:
    edge, dead_letters = Edge(TinkVault(tmp_path), RateTable([])), MemoryDeadLetters()
    services = IngestServices(
        IngestChannel(
            Intake(purchase_builder(edge, encode), topic, dead_letters, lambda: NOON_MS),
            PURCHASE_METRICS,
        ),
        IngestChannel(
            Intake(label_builder(encode), labels_topic, dead_letters, lambda: NOON_MS),
            LABEL_METRICS,
        ),
        VerdictWaiter(verdicts._pending, verdicts, store),
        load_source_contracts(ROOT / "contracts/sources"),
        *a_sandbox(edge.vault, sandbox_topic, sandbox_verdicts),
    )
    return TestClient(create_app(services, KeyCheck(keys)))


@pytest.fixture
def refunds_topic(client: TestClient, tmp_path: Path) -> MemoryTopic:
    topic, edge = MemoryTopic(), Edge(TinkVault(tmp_path), RateTable([]))
    builder = refund_builder(edge, encode)
    refunds = Intake(builder, topic, MemoryDeadLetters(), lambda: NOON_MS)
    add_refunds(client.app, IngestChannel(refunds, REFUND_METRICS))
    return topic


def post(client: TestClient, path: str, content: Any) -> Any:
    return client.post(path, content=encode(content), headers=HEADERS)


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def test_one_purchase_and_a_list_are_accepted(client: TestClient, topic: ScoredTopic) -> None:
    one = client.post("/v1/transactions", content=encode(a_purchase(id="1")), headers=HEADERS)
    assert (one.status_code, one.json()) == (202, {"accepted": 1, "repeated": 0})
    both = encode([a_purchase(id="1"), a_purchase(id="2")])
    two = client.post("/v1/transactions", content=both, headers=HEADERS)
    assert (two.status_code, two.json()) == (202, {"accepted": 1, "repeated": 1})
    assert len(topic.messages) == 2


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": SECRET}]
)
def test_without_the_key_nothing_is_accepted(
    client: TestClient, topic: ScoredTopic, headers: dict[str, str]
) -> None:
    answer = client.post("/v1/transactions", content=encode(a_purchase()), headers=headers)
    assert answer.status_code == 401
    assert client.get("/v1/status", headers=headers).status_code == 401
    assert topic.messages == []


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b"garbage", "message", "not_json"),
        (b"", "message", "not_json"),
        (b'{"x": ' + b"[" * 50_000, "message", "not_json"),
        (b'{"source": "shop"}', "id", "wrong_schema"),
        (encode(a_purchase()).replace(b"2590", b"25.9"), "amount_minor", "wrong_schema"),
        (encode(a_purchase()).replace(b"2590", b"-0.0"), "amount_minor", "wrong_schema"),
        (encode(a_purchase()).replace(b"2590", b"1999.0"), "amount_minor", "wrong_schema"),
        (encode(a_purchase()).replace(b"2590", b"-2590"), "amount_minor", "out_of_bounds"),
        (encode(a_purchase(amount_minor=10**13 + 1)), "amount_minor", "out_of_bounds"),
        (encode(a_purchase(amount_minor=2**53 + 1)), "amount_minor", "out_of_bounds"),
        (encode(a_purchase(amount_minor=10**40)), "amount_minor", "out_of_bounds"),
        (encode(a_purchase(currency="VND")), "currency", "missing_rate"),
        (encode(a_purchase(currency="XXX")), "currency", "unknown_currency"),
    ],
)
def test_a_refused_purchase_gets_the_reason(
    client: TestClient, topic: ScoredTopic, body: bytes, field: str, code: str
) -> None:
    answer = client.post("/v1/transactions", content=body, headers=HEADERS)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = answer.json()["problems"][0]
    assert (problem["index"], problem["field"], problem["code"]) == (0, field, code)
    assert topic.messages == []


def test_the_invalid_one_of_a_list_is_named_by_its_index(
    client: TestClient, topic: ScoredTopic
) -> None:
    body = encode([a_purchase(id="1"), a_purchase(id="2", merchant_id="")])
    answer = client.post("/v1/transactions", content=body, headers=HEADERS)
    assert [p["index"] for p in answer.json()["problems"]] == [1]
    assert topic.messages == []


def test_too_much_at_once_is_refused(client: TestClient) -> None:
    many = encode([a_purchase(id=str(n)) for n in range(LARGEST_BATCH + 1)])
    assert client.post("/v1/transactions", content=many, headers=HEADERS).status_code == 413
    large = b" " * (LARGEST_BODY_BYTES + 1)
    assert client.post("/v1/transactions", content=large, headers=HEADERS).status_code == 413


def test_a_chunked_body_is_accepted(client: TestClient, topic: ScoredTopic) -> None:
    body = encode(a_purchase())
    chunked = iter([body[:100], body[100:]])
    assert client.post("/v1/transactions", content=chunked, headers=HEADERS).status_code == 202
    assert len(topic.messages) == 1


def test_the_scheme_of_the_key_may_be_in_any_case(client: TestClient) -> None:
    key = presented_form("k1", SECRET)
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {key}"}
        assert client.get("/v1/status", headers=headers).status_code == 200


def test_unusable_optional_fields_are_unknown_and_named(
    client: TestClient, topic: ScoredTopic
) -> None:
    def counted(field: str, outcome: str) -> float:
        labels = {"field": field, "outcome": outcome}
        return REGISTRY.get_sample_value("fraudwatch_ingest_field_warnings_total", labels) or 0.0

    before = counted("ip", "cleaned"), counted("item_count", "unknown")
    batch = [
        a_purchase(id="1"),
        a_purchase(id="2", ip="203.0.113.9:51234", item_count=-1),
    ]
    answer = post(client, "/v1/transactions", batch)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], "ignored" in body) == (2, False)
    named = [(w["index"], w["field"], w["outcome"]) for w in body["warnings"]]
    assert named == [(1, "ip", "cleaned"), (1, "item_count", "unknown")]
    assert "203.0.113.9" not in answer.text
    message = decode(Transaction, topic.messages[1][1])
    assert message.item_count is None
    assert message.ip_token is not None
    assert (counted("ip", "cleaned"), counted("item_count", "unknown")) == (
        before[0] + 1,
        before[1] + 1,
    )
    # The same content as without the port: a repeat, not another purchase.
    again = post(client, "/v1/transactions?wait_seconds=5", replace(batch[1], ip="203.0.113.9"))
    assert (again.json()["repeated"], again.json()["warnings"][0]["index"]) == (1, 0)


def test_unknown_fields_are_listed_and_refused_where_the_caller_wants_that(
    client: TestClient, topic: ScoredTopic, labels_topic: MemoryTopic
) -> None:
    sent = json.loads(encode(a_purchase())) | {"deviceId": "d-1", "itemCount": 60}
    strict = post(client, "/v1/transactions?strict=1", [sent])
    assert strict.status_code == 422
    assert [(p["index"], p["field"]) for p in strict.json()["problems"]] == [
        (0, "deviceId"),
        (0, "itemCount"),
    ]
    assert topic.messages == []
    assert post(client, "/v1/transactions", sent).json()["ignored"] == ["deviceId", "itemCount"]
    assert post(client, "/v1/transactions?strict=1", a_purchase(id="2")).status_code == 202

    report = REPORT | {"reason": "10.4"}
    assert post(client, "/v1/labels?strict=1", report).status_code == 422
    assert labels_topic.messages == []
    assert post(client, "/v1/labels", report).json()["ignored"] == ["reason"]


def test_an_unavailable_broker_is_answered_with_a_retry_time(
    client: TestClient, topic: ScoredTopic
) -> None:
    topic.is_reachable = False
    answer = client.post("/v1/transactions", content=encode(a_purchase()), headers=HEADERS)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    topic.is_reachable = True
    again = client.post("/v1/transactions", content=encode(a_purchase()), headers=HEADERS)
    assert again.json() == {"accepted": 1, "repeated": 0}


def test_a_full_disk_is_named_to_the_sender(
    client: TestClient, topic: ScoredTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = DiskLimits(delete_below_bytes=3, slow_below_bytes=2, refuse_below_bytes=1)
    full = DiskGuardedTopic(topic, limits, lambda: 0)
    monkeypatch.setattr(topic, "publish", full.publish)
    answer = client.post("/v1/transactions", content=encode(a_purchase()), headers=HEADERS)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["type"].endswith("disk-full")
    assert "the disk is full, so nothing was accepted" in answer.json()["detail"]
    assert topic.messages == []


@pytest.mark.parametrize("path", ["/health", "/healthz"])
def test_health_is_answered_on_the_event_loop(client: TestClient, path: str) -> None:
    # With the broker away every thread may be waiting.
    [route] = [
        one for one in public_routes.routes if isinstance(one, APIRoute) and one.path == path
    ]
    assert inspect.iscoroutinefunction(route.endpoint)
    assert client.get(path).json() == {"status": "ok"}


def test_status_and_metrics_count_what_was_accepted(client: TestClient) -> None:
    client.post("/v1/transactions", content=encode(a_purchase()), headers=HEADERS)
    assert client.get("/v1/status", headers=HEADERS).json()["accepted"] == 1
    assert "fraudwatch_ingest_accepted_total" in client.get("/metrics").text
    assert json.loads(client.get("/health").text) == {"status": "ok"}


def test_a_waiting_caller_gets_the_verdicts_in_the_order_of_the_purchases(
    client: TestClient,
) -> None:
    both = [a_purchase(id="2"), a_purchase(id="1")]
    answer = post(client, "/v1/transactions?wait_seconds=5", both)
    assert answer.status_code == 200
    scored = answer.json()
    assert (scored["accepted"], scored["repeated"], scored["pending"]) == (2, 0, [])
    assert [one["transaction_id"] for one in scored["verdicts"]] == ["shop:2", "shop:1"]
    usual = a_verdict()
    assert scored["verdicts"][1] == {
        "transaction_id": "shop:1",
        "outcome": "review",
        "risk": "HIGH",
        "score": 0.5,
        "reasons": [{"rule": r.rule, "points": r.points, "text": r.text} for r in usual.reasons],
    }


def test_a_waiting_caller_learns_the_deadline_and_may_read_the_contract(
    client: TestClient, keys: ApiKeyFile
) -> None:
    of_shop = client.get("/v1/sources/shop", headers=HEADERS).json()
    of_others = client.get("/v1/sources/bank", headers=HEADERS).json()
    assert of_shop["deadline_ms"] < of_others["deadline_ms"]
    assert of_shop["defaults"][-1] == {"outcome": "review", "up_to_eur_cents": None}
    both = [a_purchase(id="1", source="bank"), a_purchase(id="2")]
    answer = post(client, "/v1/transactions?wait_seconds=5", both)
    assert answer.json()["deadline_ms"] == of_shop["deadline_ms"]
    keys.change(lambda _: replace(KEY, sources=("shop",)))
    assert client.get("/v1/sources/bank", headers=HEADERS).status_code == 403
    assert client.get("/v1/sources/shop").status_code == 401


def test_an_applied_default_is_on_the_message_and_no_other_content(
    client: TestClient, topic: ScoredTopic
) -> None:
    post(client, "/v1/transactions", a_purchase(id="1", applied_default="approve"))
    message = decode(Transaction, topic.messages[0][1])
    assert message.applied_default is AppliedDefault.APPROVE
    # The first call may have arrived although its answer did not.
    again = post(client, "/v1/transactions", a_purchase(id="1"))
    assert again.json() == {"accepted": 0, "repeated": 1}
    broken = post(client, "/v1/transactions", {"source": "shop", "applied_default": "challenge"})
    assert broken.status_code == 422


def test_a_later_verdict_is_waited_for(client: TestClient, topic: ScoredTopic) -> None:
    topic.delay_seconds = 0.3
    answer = post(client, "/v1/transactions?wait_seconds=5", a_purchase())
    assert answer.status_code == 200
    assert len(answer.json()["verdicts"]) == 1


def test_after_the_timeout_the_response_names_what_is_pending(
    client: TestClient, topic: ScoredTopic, verdicts: MemoryVerdicts
) -> None:
    topic.not_scored = {"shop:2"}
    before = metric("fraudwatch_ingest_waits_timed_out_total")
    both = [a_purchase(id="1"), a_purchase(id="2")]
    answer = post(client, "/v1/transactions?wait_seconds=0.2", both)
    assert answer.status_code == 202
    assert [one["transaction_id"] for one in answer.json()["verdicts"]] == ["shop:1"]
    assert answer.json()["pending"] == ["shop:2"]
    assert metric("fraudwatch_ingest_waits_timed_out_total") == before + 1
    assert not verdicts._pending, "no verdict stays pending without a caller"


def hash_on(topic: MemoryTopic) -> str | None:
    return decode(Transaction, topic.messages[-1][1]).content_hash


def test_a_repeated_purchase_gets_the_verdict_of_the_first(
    client: TestClient, topic: ScoredTopic, store: MemoryVerdictStore
) -> None:
    post(client, "/v1/transactions", a_purchase(id="1"))
    first = a_verdict(transaction_id="shop:1", content_hash=hash_on(topic))
    store.write([first], [])
    both = [a_purchase(id="1"), a_purchase(id="2")]
    answer = post(client, "/v1/transactions?wait_seconds=5", both)
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["repeated"]) == (1, 1)
    assert [one["transaction_id"] for one in answer.json()["verdicts"]] == ["shop:1", "shop:2"]
    assert answer.json()["verdicts"][0]["reasons"][0]["text"] == first.reasons[0].text


def test_a_stored_purchase_is_a_repeat_after_a_restart(
    client: TestClient, topic: ScoredTopic, store: MemoryVerdictStore
) -> None:
    store.write([a_verdict(transaction_id="shop:1")], [])
    answer = post(client, "/v1/transactions?wait_seconds=5", a_purchase(id="1"))
    assert (answer.status_code, answer.json()["repeated"]) == (200, 1)
    assert topic.messages == []


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_repeated_purchase_waits_while_the_first_is_not_scored(
    client: TestClient, topic: ScoredTopic, store: MemoryVerdictStore, *, is_stored: bool
) -> None:
    topic.not_scored = {"shop:1"}
    post(client, "/v1/transactions", a_purchase(id="1"))
    verdict = a_verdict(transaction_id="shop:1", content_hash=hash_on(topic))
    late = lambda: store.write([verdict], []) if is_stored else topic.verdicts.publish(verdict)  # noqa: E731
    scoring = threading.Timer(0.5, late)
    scoring.start()
    answer = post(client, "/v1/transactions?wait_seconds=5", a_purchase(id="1"))
    scoring.join()
    assert answer.status_code == 200
    assert 0.3 < answer.elapsed.total_seconds() < 4


def test_a_repeated_purchase_without_a_verdict_is_pending_after_the_wait(
    client: TestClient, topic: ScoredTopic
) -> None:
    topic.not_scored = {"shop:1"}
    before = metric("fraudwatch_ingest_waits_timed_out_total")
    post(client, "/v1/transactions", a_purchase(id="1"))
    answer = post(client, "/v1/transactions?wait_seconds=0.4", a_purchase(id="1"))
    assert (answer.status_code, answer.json()["pending"]) == (202, ["shop:1"])
    assert metric("fraudwatch_ingest_waits_timed_out_total") == before + 1


@pytest.mark.parametrize("wait", ["", "?wait_seconds=5"])
def test_the_same_id_with_other_content_is_refused_with_its_batch(
    client: TestClient, topic: ScoredTopic, wait: str
) -> None:
    post(client, "/v1/transactions", a_purchase(id="1"))
    before = metric("fraudwatch_ingest_other_content_total")
    batch = [a_purchase(id="2"), a_purchase(id="1", amount_minor=1)]
    answer = post(client, f"/v1/transactions{wait}", batch)
    assert answer.status_code == 409
    assert answer.json()["transaction_ids"] == ["shop:1"]
    assert "shop:1" in answer.json()["detail"]
    assert answer.json()["problems"] == [
        {
            "index": 1,
            "code": "other_content",
            "field": "id",
            "reason": "was accepted before with other content",
        }
    ]
    assert len(topic.messages) == 1
    assert metric("fraudwatch_ingest_other_content_total") == before + 1
    assert post(client, f"/v1/transactions{wait}", batch[:1]).json()["accepted"] == 1


def test_two_contents_of_one_id_in_a_batch_are_refused(
    client: TestClient, topic: ScoredTopic
) -> None:
    both = [a_purchase(id="1"), a_purchase(id="1", amount_minor=1)]
    assert post(client, "/v1/transactions", both).status_code == 409
    assert topic.messages == []


def test_other_content_of_a_stored_purchase_is_recognised_by_a_waiting_caller_alone(
    client: TestClient, topic: ScoredTopic, store: MemoryVerdictStore, tmp_path: Path
) -> None:
    other = Edge(TinkVault(tmp_path), RateTable([])).admit(a_purchase(id="1"), now_ms=NOON_MS)
    store.write([a_verdict(transaction_id="shop:1", content_hash=other.content_hash)], [])
    changed = a_purchase(id="1", amount_minor=1)
    assert post(client, "/v1/transactions?wait_seconds=5", changed).status_code == 409
    assert topic.messages == []
    assert post(client, "/v1/transactions", changed).json() == {"accepted": 1, "repeated": 0}


def test_without_the_store_a_repeated_purchase_is_accepted_and_pending(
    client: TestClient, topic: ScoredTopic, store: MemoryVerdictStore
) -> None:
    store.is_reachable = False
    fresh = post(client, "/v1/transactions?wait_seconds=5", a_purchase(id="1"))
    assert fresh.status_code == 200
    again = post(client, "/v1/transactions?wait_seconds=0.4", a_purchase(id="1"))
    assert (again.status_code, again.json()["pending"]) == (202, ["shop:1"])
    assert len(topic.messages) == 1


def test_unavailable_verdicts_stop_no_purchase(
    client: TestClient, topic: ScoredTopic, verdicts: MemoryVerdicts
) -> None:
    verdicts.is_reachable = False
    answer = post(client, "/v1/transactions?wait_seconds=5", a_purchase())
    assert (answer.status_code, answer.json()["pending"]) == (202, ["shop:1"])
    assert answer.elapsed.total_seconds() < 4
    assert len(topic.messages) == 1


def test_a_call_without_waiting_starts_no_listener(
    client: TestClient, verdicts: MemoryVerdicts
) -> None:
    post(client, "/v1/transactions", a_purchase())
    assert not verdicts.is_listening


@pytest.mark.parametrize("wait", ["-1", "5.1", "nan", "soon"])
def test_a_wait_out_of_bounds_is_refused(client: TestClient, topic: ScoredTopic, wait: str) -> None:
    answer = post(client, f"/v1/transactions?wait_seconds={wait}", a_purchase())
    assert answer.status_code == 422
    [problem] = answer.json()["problems"]
    assert (problem["field"], problem["code"]) == ("wait_seconds", "out_of_bounds")
    assert wait not in problem["reason"]
    assert topic.messages == []


def test_a_refused_purchase_is_no_reason_to_wait(
    client: TestClient, verdicts: MemoryVerdicts
) -> None:
    answer = post(client, "/v1/transactions?wait_seconds=5", a_purchase(currency="XXX"))
    assert answer.status_code == 422
    assert not verdicts._pending


def test_one_refund_and_a_list_are_accepted(
    client: TestClient, topic: ScoredTopic, refunds_topic: MemoryTopic
) -> None:
    before = metric("fraudwatch_ingest_refunds_total")
    one = post(client, "/v1/refunds", REFUND)
    assert (one.status_code, one.json()) == (202, {"accepted": 1, "repeated": 0})
    two = post(client, "/v1/refunds", [REFUND, replace(REFUND, id="refund-2")])
    assert (two.status_code, two.json()) == (202, {"accepted": 1, "repeated": 1})
    published = [decode(Refund, value) for _, value, _ in refunds_topic.messages]
    assert [one.refund_id for one in published] == ["shop:refund-1", "shop:refund-2"]
    assert {key for key, _, _ in refunds_topic.messages} == {published[0].customer_token}
    assert metric("fraudwatch_ingest_refunds_total") == before + 2
    assert topic.messages == []


def test_a_refund_without_its_purchase_or_with_other_content_is_refused(
    client: TestClient, refunds_topic: MemoryTopic
) -> None:
    post(client, "/v1/refunds", REFUND)
    other = post(client, "/v1/refunds", replace(REFUND, amount_minor=1))
    assert (other.status_code, other.json()["problems"][0]["code"]) == (409, "other_content")
    body = encode(REFUND).replace(b"purchase_id", b"purchase")
    missing = client.post("/v1/refunds", content=body, headers=HEADERS)
    [problem] = missing.json()["problems"]
    assert (missing.status_code, problem["field"]) == (422, "purchase_id")
    assert len(refunds_topic.messages) == 1


def test_a_refund_needs_a_key_that_is_no_sandbox_key(
    client: TestClient, refunds_topic: MemoryTopic
) -> None:
    for headers, status in ((SANDBOX_HEADERS, 403), ({}, 401)):
        answer = client.post("/v1/refunds", content=encode(REFUND), headers=headers)
        assert answer.status_code == status
    assert refunds_topic.messages == []


def test_a_replayed_file_brings_its_refunds_by_the_endpoint(
    client: TestClient, topic: ScoredTopic, refunds_topic: MemoryTopic, tmp_path: Path
) -> None:
    rows = "id,at,who,amt,of,of_at\np,{0},ann,500,,\nr,{1},ann,-200,p,{0}\nx,{1},ann,-1,p,{2}\n"
    path = tmp_path / "export.csv"
    path.write_text(rows.format(NOON_MS - 2 * HOUR_MS, NOON_MS - HOUR_MS, 946_684_800_001))
    purchase = {"payment_status": "approved", "channel": "present", "merchant_id": "m"}
    shared = {"source": "bank", "id": "{id}", "event_at_ms": "{at}", "customer_id": "{who}"}
    amount = {"amount_minor": "{amt}", "currency": "EUR"}
    mapping = Mapping(
        about="",
        never_read=[],
        amount="minor",
        time=Time(epoch="ms"),
        fields=shared | amount | purchase,
        refunds=Refunds(
            rows="by_sign", fields={"purchase_id": "{of}", "purchased_at_ms": "{of_at}"}
        ),
    )
    answers = httpx.MockTransport(
        lambda request: httpx.Response(
            (
                answer := client.post(request.url.path, content=request.content, headers=HEADERS)
            ).status_code,
            content=answer.content,
        )
    )
    replay = Replay(
        DatasetFile(path, mapping),
        IngestApi(IngestEndpoint("http://ingest", "key"), answers),
        Pace(None, clock=lambda: 0.0, sleep=lambda _: None),
        sleep=lambda _: None,
        skip_bad_rows=True,
    )
    tally = ReplayTally()
    replay.run(tally, lambda _: None)
    [(key, purchased, _)] = topic.messages
    assert decode(Transaction, purchased).transaction_id == "bank:p"
    refunds = {decode(Refund, value).refund_id: one for one, value, _ in refunds_topic.messages}
    # Of one customer: the same key, so behind the purchase on its partition.
    assert refunds == {"bank:r": key, "bank:x": key}
    assert (tally.accepted, tally.refunds.accepted) == (1, 2)


def test_one_label_and_a_list_are_accepted(client: TestClient, labels_topic: MemoryTopic) -> None:
    before = metric("fraudwatch_ingest_labels_total")
    one = post(client, "/v1/labels", REPORT)
    assert (one.status_code, one.json()) == (202, {"accepted": 1, "repeated": 0})
    two = post(client, "/v1/labels", [REPORT, REPORT | {"verdict": "genuine", "id": "5"}])
    assert (two.status_code, two.json()) == (202, {"accepted": 1, "repeated": 1})
    published = [(key, decode(Label, value), at) for key, value, at in labels_topic.messages]
    assert [(key, label.verdict, at) for key, label, at in published] == [
        ("shop:29380123-4", LabelValue.FRAUD, NOON_MS),
        ("shop:5", LabelValue.GENUINE, NOON_MS),
    ]
    assert {label.source for _, label, _ in published} == {Source.CHARGEBACK}
    assert metric("fraudwatch_ingest_labels_total") == before + 2
    assert client.get("/v1/status", headers=HEADERS).json()["labels"]["accepted"] == 2


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"known_at_ms": NOON_MS + FUTURE_TOLERANCE_MS + 1}, "known_at_ms", "future_event"),
        ({"known_at_ms": NOON_MS // 1000}, "known_at_ms", "out_of_bounds"),
        ({"verdict": "maybe"}, "verdict", "wrong_schema"),
        ({"kind": "analyst"}, "kind", "out_of_bounds"),
        ({"by": "erika@example.org"}, "by", "out_of_bounds"),
        ({"id": None}, "id", "wrong_schema"),
    ],
)
def test_a_refused_label_gets_the_reason(
    client: TestClient, labels_topic: MemoryTopic, changes: dict[str, Any], field: str, code: str
) -> None:
    answer = post(client, "/v1/labels", [REPORT | changes])
    assert answer.status_code == 422
    [problem] = answer.json()["problems"]
    assert (problem["index"], problem["code"]) == (0, code)
    assert problem["field"].endswith(field)
    assert labels_topic.messages == []


def test_labels_need_the_key_bounds_and_a_broker(
    client: TestClient, labels_topic: MemoryTopic
) -> None:
    assert client.post("/v1/labels", content=encode(REPORT)).status_code == 401
    many = [REPORT] * (LARGEST_BATCH + 1)
    assert post(client, "/v1/labels", many).status_code == 413
    labels_topic.is_reachable = False
    answer = post(client, "/v1/labels", REPORT)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    labels_topic.is_reachable = True
    assert post(client, "/v1/labels", REPORT).json() == {"accepted": 1, "repeated": 0}


@pytest.mark.parametrize("scope", Scope)
def test_each_endpoint_requires_its_scope(
    client: TestClient,
    keys: ApiKeyFile,
    topic: ScoredTopic,
    labels_topic: MemoryTopic,
    scope: Scope,
) -> None:
    keys.change(lambda _: replace(KEY, scopes=(scope,)))
    bought = post(client, "/v1/transactions", a_purchase())
    labelled = post(client, "/v1/labels", REPORT)
    assert bought.status_code == (202 if scope is Scope.INGEST else 403)
    assert labelled.status_code == (202 if scope is Scope.LABEL else 403)
    assert (len(topic.messages), len(labels_topic.messages)) == (
        int(scope is Scope.INGEST),
        int(scope is Scope.LABEL),
    )
    assert client.get("/v1/status", headers=HEADERS).status_code == 200


def test_a_key_of_one_source_reports_nothing_of_another(
    client: TestClient, keys: ApiKeyFile, topic: ScoredTopic, labels_topic: MemoryTopic
) -> None:
    keys.change(lambda _: replace(KEY, sources=("shop",)))
    mixed = [a_purchase(id="1"), a_purchase(id="2", source="bank")]
    assert post(client, "/v1/transactions", mixed).status_code == 403
    assert post(client, "/v1/transactions?wait_seconds=1", mixed).status_code == 403
    assert post(client, "/v1/labels", [REPORT, REPORT | {"source": "bank"}]).status_code == 403
    assert (topic.messages, labels_topic.messages) == ([], [])
    assert post(client, "/v1/transactions", mixed[:1]).status_code == 202
    assert post(client, "/v1/labels", REPORT).status_code == 202


def test_a_revoked_key_is_refused_with_the_next_request(
    client: TestClient, keys: ApiKeyFile, topic: ScoredTopic
) -> None:
    assert post(client, "/v1/transactions", a_purchase(id="1")).status_code == 202
    keys.change(lambda _: replace(KEY, revoked_at_ms=1))
    assert post(client, "/v1/transactions", a_purchase(id="2")).status_code == 401
    assert len(topic.messages) == 1


def test_a_sandbox_purchase_is_answered_and_never_among_the_real_ones(
    client: TestClient,
    topic: ScoredTopic,
    sandbox_topic: ScoredTopic,
    store: MemoryVerdictStore,
) -> None:
    # A stored verdict and a real purchase of the same id are no matter of the sandbox.
    store.write([a_verdict(transaction_id="shop:1")], [])
    accepted = metric("fraudwatch_ingest_accepted_total")
    lookups = metric("fraudwatch_ingest_verdict_lookups_total")
    path = "/v1/transactions?wait_seconds=2"
    answer = client.post(path, content=encode(a_purchase(id="1")), headers=SANDBOX_HEADERS)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["is_sandbox"] is True
    assert [one["transaction_id"] for one in body["verdicts"]] == ["shop:1"]
    assert topic.messages == []
    assert metric("fraudwatch_ingest_accepted_total") == accepted
    assert metric("fraudwatch_ingest_verdict_lookups_total") == lookups
    assert metric("fraudwatch_ingest_sandbox_accepted_total") > 0
    [(_, value, _)] = sandbox_topic.messages
    assert decode(Transaction, value).sealed is None
    real = post(client, "/v1/transactions", a_purchase(id="1", amount_minor=5))
    assert real.status_code == 202
    assert "is_sandbox" not in real.json()
    [(token, _, _)] = topic.messages
    assert token != sandbox_topic.messages[0][0]


def test_a_sandbox_purchase_without_a_verdict_is_pending_and_no_alarm(
    client: TestClient, sandbox_topic: ScoredTopic
) -> None:
    sandbox_topic.not_scored = {"shop:7"}
    timed_out = metric("fraudwatch_ingest_waits_timed_out_total")
    path, content = "/v1/transactions?wait_seconds=0.2", encode(a_purchase(id="7"))
    for _ in range(2):  # a repeat has no stored verdict either
        answer = client.post(path, content=content, headers=SANDBOX_HEADERS)
        assert answer.status_code == 202
        assert answer.json()["pending"] == ["shop:7"]
    without = client.post("/v1/transactions", content=content, headers=SANDBOX_HEADERS)
    assert without.json() == {"accepted": 0, "repeated": 1, "is_sandbox": True}
    assert metric("fraudwatch_ingest_waits_timed_out_total") == timed_out


def test_a_sandbox_key_labels_nothing(
    client: TestClient, labels_topic: MemoryTopic, keys: ApiKeyFile
) -> None:
    # Also one whose scopes were written by hand.
    keys.change(lambda _: replace(SANDBOX_KEY, scopes=KEY.scopes))
    answer = client.post("/v1/labels", content=json.dumps(REPORT), headers=SANDBOX_HEADERS)
    assert answer.status_code == 403
    assert "sandbox key" in answer.json()["detail"]
    assert labels_topic.messages == []
