"""A REST API over memory twins, and a key for every kind of client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.edge_tokens import TokensUnavailable
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.adapters.memory.alert_log import MemoryAlertLog
from fraudwatch.adapters.memory.alert_search import MemoryAlertSearch
from fraudwatch.adapters.memory.casework import MemoryCases
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryTopic,
    MemoryVerdictStore,
)
from fraudwatch.application.alert_stream import AlertHub, LogPosition
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import label_builder
from fraudwatch.domain.api_keys import (
    ApiKey,
    Scope,
    UnknownKey,
    digest_of,
    presented_form,
    split_presented,
)
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.samples import NOON_MS, a_token, a_transaction, a_verdict
from rest_api.app import create_app
from rest_api.services import RestApiServices

SECRET = "s" * 43
NOW_MS = NOON_MS + 60_000


def key(key_id: str, *scopes: Scope, **changes: Any) -> ApiKey:
    usual = ApiKey(
        key_id=key_id,
        client=f"client {key_id}",
        scopes=scopes,
        sources=(),
        requests_per_second=None,
        created_at_ms=0,
        expires_at_ms=None,
        revoked_at_ms=None,
        secret_sha256=digest_of(SECRET),
    )
    return replace(usual, **changes)


class MemoryKeys:
    """Keys in a dictionary."""

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = {one.key_id: one for one in keys}

    def authenticate(self, presented: str, now_ms: int) -> ApiKey:
        key_id, secret = split_presented(presented)
        if key_id not in self.keys:
            raise UnknownKey
        self.keys[key_id].accept(secret, now_ms)
        return self.keys[key_id]


class MemoryTokens:
    """Tokens of known customers; tests can make the edge unavailable."""

    def __init__(self) -> None:
        self.known = {("shop", "customer-1"): a_token("a")}
        self.is_reachable = True

    def customer_token(self, source: str, customer_id: str) -> str:
        if not self.is_reachable:
            raise TokensUnavailable("this memory edge was made unavailable")
        return self.known.get((source, customer_id), a_token("z"))


class MemoryFeatures:
    """One feature of every verdict."""

    def features_of(self, verdict: Verdict) -> Mapping[str, float | None] | None:
        return {"amount_eur_cents": float(verdict.amount_eur_cents), "unknown": None}


@dataclass
class World:
    """The API with all that is behind it."""

    store: MemoryVerdictStore = field(default_factory=MemoryVerdictStore)
    labels: MemoryTopic = field(default_factory=MemoryTopic)
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    log: MemoryAlertLog = field(default_factory=MemoryAlertLog)
    hub: AlertHub = field(default_factory=AlertHub)
    keys: MemoryKeys = field(
        default_factory=lambda: MemoryKeys(
            key("reader", Scope.READ),
            key("labeller", Scope.LABEL),
            key("ingester", Scope.INGEST),
            key("other", Scope.READ, Scope.LABEL, sources=("bank",)),
            key("mine", Scope.READ, Scope.LABEL, sources=("shop",)),
            key("expired", Scope.READ, Scope.LABEL, expires_at_ms=NOW_MS),
            key("revoked", Scope.READ, Scope.LABEL, revoked_at_ms=1),
            key("slow", Scope.READ, requests_per_second=1.0),
        )
    )
    unavailable: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hub.start(LogPosition({0: 0, 1: 0}))
        self.services = RestApiServices(
            verdicts=self.store,
            purchases=MemoryCases(self.store),
            features=MemoryFeatures(),
            scanner=MemoryAlertSearch(self.store),
            tokens=self.tokens,
            labels=Intake(label_builder(encode), self.labels, MemoryDeadLetters(), lambda: NOW_MS),
            hub=self.hub,
            history=self.log,
            problems=lambda: self.unavailable,
            now_ms=lambda: NOW_MS,
        )
        self.app: FastAPI = create_app(
            self.services, KeyCheck(self.keys, now_ms=lambda: NOW_MS, now_seconds=lambda: 0.0)
        )

    def client(self, key_id: str | None = "reader") -> TestClient:
        headers = {"Authorization": f"Bearer {presented_form(key_id, SECRET)}"} if key_id else {}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False)

    def write(self, *verdicts: Verdict) -> None:
        self.store.write(verdicts, [a_transaction(event_at_ms=v.event_at_ms) for v in verdicts])


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    world.write(a_verdict())
    return world
