"""The dead-letter quota of API keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.artefacts.source_file import load_source_contracts
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.adapters.http.problem_json import MEDIA_TYPE
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryTopic,
    MemoryVerdicts,
    MemoryVerdictStore,
)
from fraudwatch.adapters.quota_folder import FOLDER, QuotaFolder
from fraudwatch.application.dead_letters.quota import QuotaState, resume
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import label_builder, purchase_builder
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.domain.api_keys import ApiKey
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_purchase
from fraudwatch.stack.home import ROOT
from streaming.ingest.api import IngestServices, create_app
from streaming.ingest.channel import LABEL_METRICS, PURCHASE_METRICS, IngestChannel
from streaming.ingest.quota import ingest_quota
from streaming.ingest.sync_scoring import VerdictWaiter
from tests.ingest_keys import KEY, SANDBOX_KEY, authorization
from tests.sandboxes import a_sandbox

OTHER = replace(KEY, key_id="other")


class Till:
    """An API over memory, with a quota of two refused messages and half of all."""

    def __init__(self, folder: Path) -> None:
        self.states = QuotaFolder(folder / FOLDER)
        self.topic = MemoryTopic()
        verdicts = MemoryVerdicts(PendingVerdictRegistry())
        keys = ApiKeyFile(folder / "keys.json")
        for key in (KEY, OTHER, SANDBOX_KEY):
            keys.change(lambda _, key=key: key)  # type: ignore[misc]
        edge, records = Edge(TinkVault(folder), RateTable([])), MemoryDeadLetters()
        services = IngestServices(
            IngestChannel(
                Intake(purchase_builder(edge, encode), self.topic, records, lambda: NOON_MS),
                PURCHASE_METRICS,
            ),
            IngestChannel(
                Intake(label_builder(encode), MemoryTopic(), records, lambda: NOON_MS),
                LABEL_METRICS,
            ),
            VerdictWaiter(verdicts._pending, verdicts, MemoryVerdictStore()),
            load_source_contracts(ROOT / "contracts/sources"),
            *a_sandbox(edge.vault, MemoryTopic(), verdicts),
        )
        quota = ingest_quota(folder, lambda: NOON_MS)
        self._client = TestClient(create_app(services, KeyCheck(keys), quota))

    def post(self, *purchases: Any, key: ApiKey = KEY, path: str = "/v1/transactions") -> Any:
        content = encode(list(purchases))
        return self._client.post(path, content=content, headers=authorization(key))


@pytest.fixture
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Till:
    monkeypatch.setenv("DEAD_LETTER_QUOTA_PER_MINUTE", "2")
    monkeypatch.setenv("DEAD_LETTER_QUOTA_SHARE", "0.5")
    return Till(tmp_path)


BAD = a_purchase(currency="XXX")


def paused() -> float | None:
    return REGISTRY.get_sample_value("fraudwatch_ingest_paused_sources", {"reader": "api"})


def test_a_key_whose_purchases_are_refused_is_paused_until_it_is_resumed(till: Till) -> None:
    good = [a_purchase(id=f"good-{number}") for number in range(3)]
    assert till.post(*good).status_code == 202
    assert [till.post(BAD).status_code for _ in range(4)] == [422] * 4
    assert paused() == 1
    answer = till.post(a_purchase(id="next"))
    assert (answer.status_code, answer.headers["content-type"]) == (429, MEDIA_TYPE)
    assert answer.headers["Retry-After"] == "60"
    assert answer.json()["type"].endswith(":source-paused")
    assert "the API key k1 sent what cannot be accepted: 4 of 7" in answer.json()["detail"]
    assert till.post(path="/v1/labels").status_code == 429
    assert till.post(a_purchase(id="next"), key=OTHER).status_code == 202

    resume(till.states, "key-k1", now_ms=NOON_MS, minutes=1)
    assert paused() == 0
    assert till.post(a_purchase(id="later")).status_code == 202


def test_a_batch_counts_by_its_messages(till: Till) -> None:
    batch = [a_purchase(id=f"{number}") for number in range(9)]
    assert [till.post(*batch, BAD).status_code for _ in range(6)] == [422] * 6
    assert till.post(*batch).status_code == 202


def test_other_content_counts_and_what_the_broker_refuses_does_not(till: Till) -> None:
    till.topic.is_reachable = False
    assert [till.post(a_purchase()).status_code for _ in range(5)] == [503] * 5
    till.topic.is_reachable = True
    assert till.post(a_purchase()).status_code == 202
    other = a_purchase(amount_minor=1)
    assert [till.post(other).status_code for _ in range(4)] == [409, 409, 409, 429]


def test_a_sandbox_key_has_no_quota(till: Till) -> None:
    assert [till.post(BAD, key=SANDBOX_KEY).status_code for _ in range(9)] == [422] * 9
    assert till.states.listed() == []


def test_a_paused_source_is_logged_and_exported_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DEAD_LETTER_QUOTA_PER_MINUTE", "2")
    for source in ("feed", "feed.acme"):
        state = QuotaState(source=source, reason="the source feed sends", paused_at_ms=NOON_MS)
        QuotaFolder(tmp_path / FOLDER).write(state)
    ingest_quota(tmp_path, lambda: NOON_MS)
    assert "the source feed sends" in caplog.text
    by_reader = {
        reader: REGISTRY.get_sample_value("fraudwatch_ingest_paused_sources", {"reader": reader})
        for reader in ("feed", "chargebacks", "mapped_feed", "api")
    }
    assert by_reader == {"feed": 1, "chargebacks": 0, "mapped_feed": 1, "api": 0}
