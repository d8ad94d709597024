"""Ingest on the real broker: synchronous scoring returns verdicts, and a label becomes a row."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.lost_keys import KeysLost, refuse_lost_keys
from fraudwatch.adapters.kafka_log.scored_ids import KafkaScoredLog
from fraudwatch.adapters.store.alerts import CassandraAlertReader
from fraudwatch.adapters.store.audit import CassandraAudit
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.application.intake.known_ids import ScoredId
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.domain.messages.label import LabelValue, Source
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.samples import a_purchase
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from streaming.ingest.first_start import messages_left
from tests.waiting import eventually

pytestmark = pytest.mark.engines


def scored(stack: PrivateStack, names: list[str]) -> tuple[int, dict[str, Any]]:
    now_ms = time.time_ns() // 1_000_000
    purchases = [
        a_purchase(source="waits", id=name, customer_id=name, event_at_ms=now_ms) for name in names
    ]
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        answer = ingest.post("/v1/transactions?wait_seconds=5", content=encode(purchases))
        return answer.status_code, answer.json()


def test_synchronous_scoring_answers_one_caller_and_many_in_parallel(stack: PrivateStack) -> None:
    # All services share two cores, so the first caller may need two tries.
    def first() -> bool:
        return scored(stack, [uuid.uuid4().hex])[0] == 200

    eventually(first, within_seconds=60, what="a verdict within its wait")
    calls = [[uuid.uuid4().hex for _ in range(5)] for _ in range(8)]
    with ThreadPoolExecutor(len(calls)) as callers:
        answers = list(callers.map(lambda names: scored(stack, names), calls))
    for names, (_, document) in zip(calls, answers, strict=True):
        ids = [one["transaction_id"] for one in document["verdicts"]] + document["pending"]
        assert sorted(ids) == sorted(f"waits:{name}" for name in names)
    assert [status for status, _ in answers].count(200) >= 1


def posted(stack: PrivateStack, purchase: Purchase, wait: str = "?wait_seconds=5") -> Any:
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        return ingest.post(f"/v1/transactions{wait}", content=encode(purchase))


def test_a_repeated_purchase_gets_the_verdict_of_the_first(stack: PrivateStack) -> None:
    name, now_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000
    purchase = a_purchase(source="waits", id=name, customer_id=name, event_at_ms=now_ms)
    # As a till whose first call timed out: it asks again, and learns the outcome.
    assert posted(stack, purchase, wait="").json() == {"accepted": 1, "repeated": 0}
    again = eventually(
        lambda: answer if (answer := posted(stack, purchase)).status_code == 200 else None,
        within_seconds=60,
        what="the verdict of a repeated purchase",
    ).json()
    assert (again["accepted"], again["repeated"], again["pending"]) == (0, 1, [])
    third = posted(stack, purchase).json()
    assert third["verdicts"] == again["verdicts"]
    session = connect(stack.cassandra("console"))
    try:
        stored = eventually(
            lambda: CassandraAlertReader(session).verdict_of(f"waits:{name}"),
            within_seconds=30,
            what="the verdict's row",
        )
    finally:
        close(session)
    [verdict] = again["verdicts"]
    assert (verdict["outcome"], verdict["score"]) == (stored.outcome, stored.score)
    assert stored.content_hash


def test_the_same_id_with_other_content_is_refused_also_after_a_restart(
    stack: PrivateStack,
) -> None:
    name, now_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000
    purchase = a_purchase(source="waits", id=name, customer_id=name, event_at_ms=now_ms)
    other = replace(purchase, amount_minor=purchase.amount_minor + 1)
    eventually(
        lambda: posted(stack, purchase).status_code == 200,
        within_seconds=60,
        what="a verdict",
    )
    for wait in ("", "?wait_seconds=1"):
        refused = posted(stack, other, wait)
        assert (refused.status_code, refused.json()["transaction_ids"]) == (409, [f"waits:{name}"])
    before = stack.pid("ingest")
    os.kill(before, signal.SIGKILL)
    eventually(
        lambda: stack.states("ingest")["ingest"].ready and stack.pid("ingest") != before,
        within_seconds=60,
        what="the next ingest",
    )
    # Its memory is empty: the store knows the first.
    eventually(
        lambda: posted(stack, other).status_code == 409,
        within_seconds=30,
        what="the refusal by the stored verdict",
    )
    assert posted(stack, purchase).status_code == 200


def test_a_new_watch_list_screens_the_next_purchase(stack: PrivateStack) -> None:
    entry, file = "made-up-0001", stack.folder / "watch_lists/example.csv"

    def verdict() -> dict[str, Any] | None:
        name, now_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000
        purchase = a_purchase(
            source="waits", id=name, customer_id=name, event_at_ms=now_ms,
            name="Quastelbrook, Grimwald",
        )  # fmt: skip
        found: list[dict[str, Any]] = posted(stack, purchase).json()["verdicts"]
        return found[0] if found else None

    def is_listed(found: dict[str, Any] | None) -> bool:
        return found is not None and any(
            reason["rule"] == "watch_list_match" and entry in reason["text"]
            for reason in found["reasons"]
        )

    before = eventually(verdict, within_seconds=60, what="a verdict without a list")
    assert not is_listed(before)
    file.write_bytes((ROOT / "contracts/watch_lists/example.csv").read_bytes())
    try:
        after = eventually(
            lambda: found if is_listed(found := verdict()) else None,
            within_seconds=60,
            what="a verdict by the list",
        )
        assert after is not None
        assert after["outcome"] == "review"
    finally:
        file.unlink()


def test_a_chargeback_becomes_a_row(stack: PrivateStack) -> None:
    name, known_at_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000
    report = {
        "source": "waits",
        "id": name,
        "verdict": "fraud",
        "by": "issuer",
        "known_at_ms": known_at_ms,
    }
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        assert ingest.post("/v1/labels", content=encode(report)).status_code == 202
        assert ingest.post("/v1/labels", content=encode([report])).json()["repeated"] == 1
    session = connect(stack.cassandra("console"))
    try:
        reader = CassandraAlertReader(session)
        [label] = eventually(
            lambda: reader.labels_of(f"waits:{name}"), within_seconds=30, what="the label's row"
        )
    finally:
        close(session)
    assert (label.verdict, label.source, label.by) == (
        LabelValue.FRAUD,
        Source.CHARGEBACK,
        "issuer",
    )
    assert label.known_at_ms == known_at_ms


def keys_command(stack: PrivateStack, *arguments: str) -> dict[str, Any]:
    done = stack.command("keys", *arguments, "--json")
    return dict(json.loads(done.stdout))


def answers(stack: PrivateStack, presented: str) -> tuple[int, int, int]:
    """Return the statuses of a purchase of `waits`, one of another source, and a label."""
    now_ms, name = time.time_ns() // 1_000_000, uuid.uuid4().hex
    bought = a_purchase(source="waits", id=name, customer_id=name, event_at_ms=now_ms)
    label = {"source": "waits", "id": name, "verdict": "fraud", "by": "issuer"}
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        ingest.headers["Authorization"] = f"Bearer {presented}"
        return (
            ingest.post("/v1/transactions", content=encode(bought)).status_code,
            ingest.post(
                "/v1/transactions", content=encode(replace(bought, source="x"))
            ).status_code,
            ingest.post("/v1/labels", content=encode(label)).status_code,
        )


def test_keys_are_made_limited_revoked_and_audited_while_ingest_runs(stack: PrivateStack) -> None:
    of_source = ["--scope", "ingest", "--source", "waits"]
    seller = keys_command(stack, "make", "--client", "till", *of_source)
    labeller = keys_command(
        stack, "make", "--client", "issuer", "--scope", "label", "--all-sources"
    )
    reader = keys_command(stack, "make", "--client", "page", "--scope", "read")
    assert answers(stack, seller["key"]) == (202, 403, 403)
    assert answers(stack, labeller["key"]) == (403, 403, 202)
    assert answers(stack, reader["key"]) == (403, 403, 403)
    keys_command(stack, "revoke", seller["key_id"], "--reason", "the till was stolen")
    assert answers(stack, seller["key"]) == (401, 401, 401)
    session = connect(stack.cassandra("console"))
    try:
        log, now = CassandraAudit(session), datetime.now(UTC)
        found = eventually(
            lambda: [
                record
                for record in log.audited(now - timedelta(hours=1), now=now, limit=50)
                if record.deed is AuditAction.KEY_REVOKED
            ],
            within_seconds=30,
            what="the audit record of the revocation",
        )
    finally:
        close(session)
    assert seller["key_id"] in (found[0].subject or "")
    assert found[0].reason.startswith("the till was stolen, on the command line")


def test_a_log_with_transactions_is_evidence_that_a_missing_token_key_is_lost(
    stack: PrivateStack, tmp_path: Path
) -> None:
    purchase = a_purchase(source="waits", id=uuid.uuid4().hex, event_at_ms=time.time_ns() // 10**6)
    assert posted(stack, purchase).status_code in {200, 202}
    kafka = stack.kafka("ingest")
    with pytest.raises(KeysLost, match=r"transaction_topic has taken .* token\.json back"):
        refuse_lost_keys(tmp_path, lambda: messages_left(kafka))
    assert list(tmp_path.iterdir()) == []


def test_a_key_over_its_dead_letter_quota_is_paused_until_it_is_resumed(
    stack: PrivateStack,
) -> None:
    made = keys_command(
        stack, "make", "--client", "upgraded-till", "--scope", "ingest", "--all-sources"
    )
    source, now_ms = f"key-{made['key_id']}", time.time_ns() // 1_000_000
    bad = [a_purchase(source="waits", id=f"{n}", currency="XXX") for n in range(101)]
    good = a_purchase(source="waits", id=uuid.uuid4().hex, event_at_ms=now_ms)
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        assert ingest.post("/v1/transactions", content=encode(good)).status_code == 202
        ingest.headers["Authorization"] = f"Bearer {made['key']}"
        assert ingest.post("/v1/transactions", content=encode(bad)).status_code == 422
        refused = ingest.post("/v1/transactions", content=encode(good))
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert f"dead-letters resume {source}" in refused.json()["detail"]
        paused = json.loads(stack.command("dead-letters", "paused", "--json").stdout)["paused"]
        assert source in {one["source"] for one in paused}
        assert posted(stack, good, wait="").status_code == 202  # another key
        stack.command("dead-letters", "resume", source)
        assert ingest.post("/v1/transactions", content=encode(good)).status_code == 202


def test_a_repeat_after_a_kill_is_recognised_without_waiting(stack: PrivateStack) -> None:
    name, now_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000
    purchase = a_purchase(source="waits", id=name, customer_id=name, event_at_ms=now_ms)
    eventually(
        lambda: posted(stack, purchase).status_code == 200, within_seconds=60, what="a verdict"
    )
    before = stack.pid("ingest")
    os.kill(before, signal.SIGKILL)
    eventually(
        lambda: stack.states("ingest")["ingest"].ready and stack.pid("ingest") != before,
        within_seconds=60,
        what="the next ingest",
    )
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        eventually(
            lambda: "fraudwatch_ingest_id_filter_complete 1.0" in ingest.get("/metrics").text,
            within_seconds=60,
            what="the filter of accepted ids",
        )
    # Once: a second call would be recognised by memory.
    assert posted(stack, purchase, wait="").json() == {"accepted": 0, "repeated": 1}


def test_ids_of_scored_transactions_are_read_with_the_rights_of_ingest(
    stack: PrivateStack,
) -> None:
    name, now_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000
    log = KafkaScoredLog(stack.kafka("ingest"))
    before = log.positions()
    purchase = a_purchase(source="waits", id=name, customer_id=name, event_at_ms=now_ms)
    eventually(
        lambda: posted(stack, purchase).status_code == 200, within_seconds=60, what="a verdict"
    )
    found: list[ScoredId] = []
    after = log.positions()
    log.read(before.verdicts, after.verdicts, found.extend)
    [ours] = {one for one in found if one.transaction_id == f"waits:{name}"}
    assert before.transactions[ours.partition] <= ours.offset < after.transactions[ours.partition]
    beyond = dict.fromkeys(after.verdicts, 10**12)  # as of a topic that was made anew
    whole: list[ScoredId] = []
    log.read(beyond, after.verdicts, whole.extend)
    assert ours in whole
