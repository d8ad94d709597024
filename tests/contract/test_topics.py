from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fraudwatch import topics
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.application.intake.admit import Edge
from fraudwatch.contract_schemas import MESSAGES
from fraudwatch.domain.features.catalogue import WINDOWS
from fraudwatch.domain.messages.dead_letter import KEPT_PAYLOAD_BYTES
from fraudwatch.domain.messages.fields import columns_of, problems
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_purchase

TOPIC_FILES = sorted((Path(__file__).parents[2] / "contracts" / "topics").glob("*.yaml"))
DAY_MS = 86_400_000


def document(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def test_every_topic_has_its_page_and_every_page_its_topic() -> None:
    named = {value for name, value in vars(topics).items() if name.endswith("_TOPIC")}
    assert {document(path)["topic"] for path in TOPIC_FILES} == named
    assert {path.stem for path in TOPIC_FILES} == named


@pytest.mark.parametrize("path", TOPIC_FILES, ids=lambda path: path.stem)
def test_a_topics_page_is_complete(path: Path) -> None:
    page = document(path)
    for key in ("meaning", "key", "value", "partitions", "producers", "consumers", "retention_ms"):
        assert key in page, key
    assert page["partitioner"] == topics.PARTITIONER
    version = page["value"].split(" ")[0]
    is_binary = "sealed" in page["value"] or "packed" in page["value"]
    assert version in MESSAGES or is_binary


def test_a_verdict_is_in_the_partition_of_its_transaction() -> None:
    # So those of a partition come in the order of its offsets, by which the tally counts each once.
    bought, judged = (
        document(path)
        for name in (topics.TRANSACTION_TOPIC, topics.FRAUD_TOPIC)
        for path in TOPIC_FILES
        if path.stem == name
    )
    for fact in ("partitions", "key", "partitioner"):
        assert bought[fact] == judged[fact], fact
    assert bought["partitions"] == topics.TRANSACTION_PARTITIONS


def test_the_log_is_kept_longer_than_the_longest_window() -> None:
    [page] = [document(p) for p in TOPIC_FILES if p.stem == topics.TRANSACTION_TOPIC]
    longest_ms = max(window.tile_ms * (window.tiles + 1) for window in WINDOWS)
    assert page["retention_ms"] >= longest_ms + 4 * DAY_MS


def test_the_audit_log_is_kept_for_400_days_whatever_is_written() -> None:
    [page] = [document(p) for p in TOPIC_FILES if p.stem == topics.AUDIT_TOPIC]
    assert page["retention_ms"] >= 400 * DAY_MS
    assert page["retention_bytes"] == -1, "others' records must not push one out"
    table = (TOPIC_FILES[0].parents[2] / "cassandra/migrations/0005_audit.cql").read_text()
    assert f"default_time_to_live = {page['retention_ms'] // 1000}" in table


def test_the_largest_purchase_makes_a_message_below_64_kib(tmp_path: Path) -> None:
    longest = {
        column.name: "\U0001f4b6" * column.fact.max_length
        for column in columns_of(Purchase)
        if column.type is str and column.fact.max_length
    }
    plain = {"source": "s" * 16, "id": "9" * 64, "ip": "2001:db8::1"}
    edge = Edge(TinkVault(tmp_path), RateTable([]))
    admitted = edge.admit(a_purchase(**{**longest, **plain}), now_ms=NOON_MS)
    assert problems(admitted) == []
    assert len(encode(admitted)) < KEPT_PAYLOAD_BYTES
