from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
import tink
import yaml
from pydantic import SecretStr

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.adapters.edge.keysets import (
    PRIVATE_DEAD_LETTER_KEY,
    PUBLIC_DEAD_LETTER_KEY,
    create_dead_letter_keys,
    dead_letter_opener,
    dead_letter_sealer,
)
from fraudwatch.adapters.kafka_log.dlq_replay_targets import replay_targets
from fraudwatch.adapters.kafka_log.replayed_file import KEPT, ReplayedFile
from fraudwatch.application.dead_letters.dlq import (
    INGEST_LABELS_TARGET,
    INGEST_TARGET,
    DlqRecord,
    NotReplayable,
    ReplayTarget,
    TargetUnavailable,
)
from fraudwatch.domain.messages.label import LabelValue, ReportedLabel
from fraudwatch.samples import (
    NOON_MS,
    a_purchase,
    a_refund,
    a_reported_refund,
    a_transaction,
    a_verdict,
)
from fraudwatch.settings import KafkaSettings
from fraudwatch.stack.home import ROOT
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC

Answer = Callable[[httpx.Request], httpx.Response]
NOWHERE = KafkaSettings(
    bootstrap_servers="127.0.0.1:1", username="admin", password=SecretStr("0123456789abcdef")
)


A_CHARGEBACK = ReportedLabel(
    source="shop", id="1", verdict=LabelValue.FRAUD, by="issuer", known_at_ms=NOON_MS
)


def a_dlq_record(origin: str = "feed:1", payload: bytes = b"x") -> DlqRecord:
    return DlqRecord(
        stage="ingest",
        origin=origin,
        code="not_json",
        reason="message is no JSON object",
        at_ms=NOON_MS,
        payload_bytes=len(payload),
        payload_sha256=hashlib.sha256(payload).hexdigest(),
        partition=0,
        offset=0,
    )


def the_targets(answer: Answer | None = None) -> dict[str, ReplayTarget]:
    transport = httpx.MockTransport(answer or (lambda _: httpx.Response(500)))
    return replay_targets(NOWHERE, IngestApi(IngestEndpoint("http://ingest", "key"), transport))


def test_the_private_half_opens_what_the_public_half_sealed(tmp_path: Path) -> None:
    create_dead_letter_keys(tmp_path)
    sealed = dead_letter_sealer(tmp_path / PUBLIC_DEAD_LETTER_KEY).encrypt(b"garbage", b"feed:1")
    opener = dead_letter_opener(tmp_path / PRIVATE_DEAD_LETTER_KEY)
    assert opener.decrypt(sealed, b"feed:1") == b"garbage"
    with pytest.raises(tink.TinkError):
        opener.decrypt(sealed, b"feed:2")


def test_the_public_half_opens_nothing(tmp_path: Path) -> None:
    create_dead_letter_keys(tmp_path)
    with pytest.raises(tink.TinkError):
        dead_letter_opener(tmp_path / PUBLIC_DEAD_LETTER_KEY)


@pytest.mark.parametrize(
    ("target", "valid", "unbound"),
    [
        (INGEST_TARGET, a_purchase(), a_purchase(amount_minor=-1)),
        (INGEST_TARGET, a_reported_refund(), a_reported_refund(amount_minor=0)),
        (INGEST_LABELS_TARGET, A_CHARGEBACK, replace(A_CHARGEBACK, known_at_ms=-1)),
        (TRANSACTION_TOPIC, a_transaction(), a_transaction(amount_minor=-1)),
        (TRANSACTION_TOPIC, a_refund(), a_refund(amount_minor=0)),
        (FRAUD_TOPIC, a_verdict(), a_verdict(amount_minor=-1)),
    ],
)
def test_a_target_accepts_what_its_consumer_accepts_and_nothing_else(
    target: str, valid: object, unbound: object
) -> None:
    target_, valid, unbound = the_targets()[target], encode(valid), encode(unbound)
    target_.check(valid)
    for bad in (b"", b"garbage", b"[%b]" % valid, b"%b,%b" % (valid, valid), b"{}"):
        with pytest.raises(NotReplayable):
            target_.check(bad)
    with pytest.raises(NotReplayable, match=r"(amount_minor|known_at_ms) must lie between"):
        target_.check(unbound)


OF_INGEST = pytest.mark.parametrize(
    ("target", "path", "content"),
    [
        (INGEST_TARGET, "/v1/transactions", a_purchase()),
        (INGEST_TARGET, "/v1/refunds", a_reported_refund()),
        (INGEST_LABELS_TARGET, "/v1/labels", A_CHARGEBACK),
    ],
)


@OF_INGEST
def test_each_kind_of_message_is_posted_alone_to_its_endpoint(
    target: str, path: str, content: object
) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(202, json={"accepted": 1, "repeated": 0})

    the_targets(answer)[target].replay(encode(content))
    assert [request.url.path for request in requests] == [path]
    assert json.loads(requests[0].content) == [json.loads(encode(content))]


@OF_INGEST
def test_a_record_that_ingest_refuses_has_its_reason(
    target: str, path: str, content: object
) -> None:
    refusal = {"index": 0, "code": "out_of_bounds", "field": "a_field", "reason": f"not to {path}"}
    target_ = the_targets(lambda _: httpx.Response(422, json={"problems": [refusal]}))[target]
    with pytest.raises(NotReplayable, match=f"a_field not to {path}"):
        target_.replay(encode(content))


@pytest.mark.parametrize("status", [401, 500, 503])
@pytest.mark.parametrize(
    ("target", "content"), [(INGEST_TARGET, a_purchase()), (INGEST_LABELS_TARGET, A_CHARGEBACK)]
)
def test_an_unavailable_ingest_is_an_unavailable_target(
    status: int, target: str, content: object
) -> None:
    with pytest.raises(TargetUnavailable):
        the_targets(lambda _: httpx.Response(status))[target].replay(encode(content))


def test_a_replayed_record_is_known_to_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "dead_letters" / "replayed.jsonl"
    first = ReplayedFile(path)
    assert a_dlq_record() not in first
    first.add(a_dlq_record())
    first.add(a_dlq_record("feed:2"))
    for reader in (first, ReplayedFile(path)):
        assert a_dlq_record() in reader
        assert a_dlq_record("feed:2") in reader
        assert a_dlq_record("feed:3") not in reader
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_an_entry_whose_dead_letter_has_left_the_topic_is_removed(tmp_path: Path) -> None:
    path, began = tmp_path / "replayed.jsonl", datetime(2026, 1, 1, tzinfo=UTC)
    for origin, at in (("feed:1", began), ("feed:2", began + KEPT), ("feed:3", began + KEPT * 1.5)):
        ReplayedFile(path, now=partial(datetime.fromtimestamp, at.timestamp(), UTC)).add(
            a_dlq_record(origin)
        )
    after = ReplayedFile(path)
    assert a_dlq_record("feed:1") not in after
    assert a_dlq_record("feed:2") in after
    assert a_dlq_record("feed:3") in after


def test_an_entry_is_kept_longer_than_its_dead_letter() -> None:
    topic = yaml.safe_load((ROOT / "contracts/topics/dead_letter_topic.yaml").read_text("utf-8"))
    assert timedelta(milliseconds=topic["retention_ms"]) * 1.5 < KEPT


def test_another_payload_under_the_same_origin_is_another_record(tmp_path: Path) -> None:
    journal = ReplayedFile(tmp_path / "replayed.jsonl")
    journal.add(a_dlq_record(payload=b"old shop"))
    assert a_dlq_record(payload=b"new shop") not in journal


@pytest.mark.parametrize("cut", range(1, 100, 7))
def test_a_torn_entry_harms_no_other(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "replayed.jsonl"
    ReplayedFile(path).add(a_dlq_record("feed:1"))
    ReplayedFile(path).add(a_dlq_record("feed:2"))
    path.write_bytes(path.read_bytes()[:-cut])
    ReplayedFile(path).add(a_dlq_record("feed:3"))
    after = ReplayedFile(path)
    assert a_dlq_record("feed:1") in after
    assert a_dlq_record("feed:2") not in after
    assert a_dlq_record("feed:3") in after
