"""Fake ingest API that obeys its contract, and files to send to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import yaml

from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus, Purchase
from fraudwatch.domain.messages.refund import RefundReason, ReportedRefund

KEY = "a-key-for-this-test"

ROWS: list[dict[str, Any]] = [
    {"no": "a1", "when": "2020-01-01 00:00:09", "who": "ann", "amt": 1.005, "kind": "misc_net",
     "card": "0604 0631-2201", "fraud": 0},
    {"no": "a2", "when": "2020-01-01 00:00:01", "who": "bob", "amt": 0.29, "kind": "home",
     "card": "4009090422618848273", "fraud": 1},
    {"no": "a3", "when": "2020-01-01 00:00:01", "who": "ann", "amt": 1.015, "kind": "misc_pos",
     "card": None, "fraud": 0},
    {"no": "a4", "when": "2020-01-01 00:00:07", "who": "cy", "amt": 16873.72, "kind": None,
     "card": None, "fraud": 0},
    {"no": "a5", "when": "2020-01-01 00:00:06", "who": "ann", "amt": 0.0, "kind": "home",
     "card": None, "fraud": 0},
    {"no": "a6", "when": "2020-01-02 00:00:00", "who": "bob", "amt": 100.0, "kind": "home",
     "card": None, "fraud": 0},
    {"no": "a7", "when": "2020-01-02 00:00:01", "who": "bob", "amt": 8.44, "kind": "misc_net",
     "card": None, "fraud": 0},
    {"no": "a8", "when": "2020-01-03 00:00:00", "who": "dee", "amt": 4.42, "kind": "home",
     "card": None, "fraud": 0},
    {"no": "a9", "when": "2020-01-03 00:00:00", "who": "dee", "amt": 61.99, "kind": "home",
     "card": None, "fraud": 1},
    {"no": "a10", "when": "2019-12-31 23:59:59", "who": "eve", "amt": 2.675, "kind": "home",
     "card": None, "fraud": 0},
]  # fmt: skip

MAPPING: dict[str, Any] = {
    "about": "ten rows",
    "never_read": ["fraud"],
    "time": {"text": "%Y-%m-%d %H:%M:%S"},
    "amount": "major",
    "fields": {
        "source": "test",
        "id": "t-{no}",
        "event_at_ms": "{when}",
        "customer_id": "{who}",
        "amount_minor": "{amt}",
        "currency": "EUR",
        "payment_status": "approved",
        "channel": "{kind}",
        "merchant_id": "m",
        "card_number": "{card}",
        "category": "{kind}",
    },
    "values": {"channel": {"*_net": "not_present", "*": "present"}},
}


@dataclass
class Edge:
    """Accepts purchases and refunds like ingest; ``answers`` are returned first, one a request.

    ``refunds`` are the accepted ones; ``log`` has the ids of both in order.
    """

    answers: list[httpx.Response | Exception] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    refunds: list[ReportedRefund] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    largest: int = 1000

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] != f"Bearer {KEY}":
            return httpx.Response(401)
        assert request.url.path in ("/v1/transactions", "/v1/refunds")
        batch = json.loads(request.content)
        self.requests.append(len(batch))
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if len(batch) > self.largest:
            return httpx.Response(413)
        return self._take(batch) if request.url.path == "/v1/transactions" else self._refund(batch)

    def _refund(self, batch: list[dict[str, Any]]) -> httpx.Response:
        reported = [as_refund(item) for item in batch]
        wrong = [
            {"index": i, "field": p.field, "reason": p.reason}
            for i, one in enumerate(reported)
            for p in problems(one)
        ]
        if wrong:
            return httpx.Response(422, json={"problems": wrong})
        known = {one.id for one in self.refunds}
        new = [one for one in reported if one.id not in known]
        self.refunds += new
        self.log += [f"refund {one.id}" for one in new]
        body = {"accepted": len(new), "repeated": len(batch) - len(new)}
        return httpx.Response(202, json=body)

    def _take(self, batch: list[dict[str, Any]]) -> httpx.Response:
        wrong = [
            {"index": i, "field": p.field, "reason": p.reason}
            for i, item in enumerate(batch)
            for p in problems(as_purchase(item))
        ]
        if wrong:
            return httpx.Response(422, json={"problems": wrong})
        known = {item["id"] for item in self.accepted}
        new = [item for item in batch if item["id"] not in known]
        self.accepted += new
        self.log += [item["id"] for item in new]
        body = {"accepted": len(new), "repeated": len(batch) - len(new)}
        return httpx.Response(202, json=body)

    @property
    def purchases(self) -> list[Purchase]:
        return [as_purchase(item) for item in self.accepted]

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.accepted]

    def client(self, key: str = KEY) -> IngestApi:
        endpoint = IngestEndpoint("http://edge", key)
        return IngestApi(endpoint, httpx.MockTransport(self.handle))


class Clock:
    """Clock that advances only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def as_purchase(item: dict[str, Any]) -> Purchase:
    kinds = {
        "payment_status": PaymentStatus(item["payment_status"]),
        "channel": Channel(item["channel"]),
    }
    return Purchase(**{**item, **kinds})


def as_refund(item: dict[str, Any]) -> ReportedRefund:
    return ReportedRefund(**(item | {"reason": RefundReason(item.get("reason", "refund"))}))


WriteMapping = Callable[[dict[str, Any]], Path]
WriteRows = Callable[[list[dict[str, Any]]], Path]


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return copy.deepcopy(ROWS)


@pytest.fixture
def mapping() -> dict[str, Any]:
    return copy.deepcopy(MAPPING)


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def write_mapping(tmp_path: Path) -> WriteMapping:
    def write(document: dict[str, Any]) -> Path:
        path = tmp_path / "mapping.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_rows(tmp_path: Path) -> WriteRows:
    def write(rows: list[dict[str, Any]]) -> Path:
        path = tmp_path / "rows.parquet"
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
        return path

    return write
