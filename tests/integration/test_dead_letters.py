"""Garbage of every kind is refused or dead-lettered, stops no service, and can be replayed."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cassandra.cluster import Session

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.keysets import PUBLIC_DEAD_LETTER_KEY
from fraudwatch.adapters.kafka_log.dead_letters import KafkaDeadLetters
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.domain.messages.dead_letter import KEPT_PAYLOAD_BYTES, Code, DeadLetter, Stage
from fraudwatch.samples import a_purchase, a_reported_refund, a_token, a_transaction, a_verdict
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

NESTED = b'{"x": ' + b"[" * 10_000
TEN_MB = 10 * 1024 * 1024


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def command(stack: PrivateStack, *words: str) -> subprocess.CompletedProcess[str]:
    return stack.command("dead-letters", *words, check=False)


def listed(stack: PrivateStack) -> dict[str, dict[str, Any]]:
    done = command(stack, "ls", "--limit", "100000", "--json")
    assert done.returncode == 0, done.stderr
    return {one["id"]: one for one in json.loads(done.stdout)["letters"]}


def outcome(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, str]]:
    return {one["id"]: one for one in json.loads(done.stdout)["letters"]}


def is_stored(session: Session, transaction_id: str) -> bool:
    query = "SELECT transaction_id FROM fraudwatch.verdict_by_transaction WHERE transaction_id = %s"
    return bool(list(session.execute(query, (transaction_id,))))


def put(stack: PrivateStack, stage: Stage, origin: str, payload: bytes) -> str:
    """Dead-letter a message as the stage would; return its id."""
    dead_letter = DeadLetter(
        code=Code.WRONG_SCHEMA,
        stage=stage,
        origin=origin,
        reason="id is missing",
        payload=payload,
        at_ms=now_ms(),
    )
    key = stack.folder / "keys" / PUBLIC_DEAD_LETTER_KEY
    KafkaDeadLetters(stack.kafka(str(stage)), key).put([dead_letter])
    return f"{stage}:{origin}"


@pytest.fixture
def undisturbed(stack: PrivateStack, session_of: Callable[[str], Session]) -> Iterator[None]:
    """Check that no service restarted, and that the next purchase is scored and stored."""
    names = ("ingest", "detector", "persister")
    before = {name: stack.pid(name) for name in names}
    yield
    after = stack.states(*names)
    assert {n: after[n].pid for n in names} == before
    assert all(after[n].ready for n in names)
    purchase = a_purchase(source="next", id=uuid.uuid4().hex, event_at_ms=now_ms())
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        assert ingest.post("/v1/transactions", content=encode(purchase)).status_code == 202
    stored = f"next:{purchase.id}"
    session = session_of("console")
    eventually(
        lambda: is_stored(session, stored), within_seconds=120, what="the next purchase's row"
    )


@pytest.mark.usefixtures("undisturbed")
def test_a_refund_passes_all_readers_and_is_no_dead_letter(
    stack: PrivateStack, session_of: Callable[[str], Session]
) -> None:
    def of_readers() -> set[str]:
        return {name for name in listed(stack) if not name.startswith(f"{Stage.INGEST}:")}

    before, at_ms, name = of_readers(), now_ms(), uuid.uuid4().hex
    purchase = a_purchase(source="refunded", id=name, event_at_ms=at_ms)
    refund = a_reported_refund(
        source="refunded", id=name, purchase_id=name, purchased_at_ms=at_ms, refunded_at_ms=at_ms
    )
    later = a_purchase(source="refunded", id=f"{name}-2", event_at_ms=at_ms + 1)
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        for path, message in (("transactions", purchase), ("refunds", refund), ("refunds", refund)):
            assert ingest.post(f"/v1/{path}", content=encode(message)).status_code == 202
        assert ingest.post("/v1/transactions", content=encode(later)).status_code == 202
    session = session_of("console")
    # The same customer's, so it is behind the refund on its partition.
    eventually(
        lambda: is_stored(session, f"refunded:{name}-2"),
        within_seconds=120,
        what="the row of the purchase behind the refund",
    )
    assert of_readers() == before


@pytest.mark.usefixtures("undisturbed")
def test_garbage_over_http_is_refused_with_the_reason(stack: PrivateStack) -> None:
    sound = encode(a_purchase(event_at_ms=now_ms()))
    kinds = {
        b"garbage": Code.NOT_JSON,
        b"\xff\xfe\x00": Code.NOT_JSON,
        sound.replace(b"2590", b"NaN"): Code.NOT_JSON,
        sound.replace(b"groceries", b"gro\0ceries"): Code.NOT_JSON,
        NESTED: Code.NOT_JSON,
        b"{}": Code.WRONG_SCHEMA,
        sound.replace(b"2590", b'"2590"'): Code.WRONG_SCHEMA,
        encode(a_purchase(currency="XXX")): Code.UNKNOWN_CURRENCY,
        encode(a_purchase(event_at_ms=0)): Code.OUT_OF_BOUNDS,
        encode(a_purchase(event_at_ms=now_ms() + 86_400_000)): Code.FUTURE_EVENT,
    }
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        for body, code in kinds.items():
            answer = ingest.post("/v1/transactions", content=body)
            assert answer.status_code == 422, body[:80]
            assert [p["code"] for p in answer.json()["problems"]] == [code], body[:80]
        assert ingest.post("/v1/transactions", content=b" " * TEN_MB).status_code == 413
        streamed = ingest.post("/v1/transactions", content=iter([b" " * TEN_MB]))
        assert streamed.status_code == 413


@pytest.mark.usefixtures("undisturbed")
def test_garbage_on_topics_is_dead_lettered_with_the_right_code(stack: PrivateStack) -> None:
    transaction = encode(a_transaction(transaction_id=f"garbage:{uuid.uuid4().hex}"))
    both = {
        b"garbage": Code.NOT_JSON,
        b"": Code.NOT_JSON,
        b"\xff\x00": Code.NOT_JSON,
        transaction.replace(b"2590", b"NaN"): Code.NOT_JSON,
        b"nul\0": Code.NOT_JSON,
        NESTED: Code.NOT_JSON,
        b"{}": Code.WRONG_SCHEMA,
        b'{"schema": "transaction.v9"}': Code.WRONG_SCHEMA,
        b" " * (KEPT_PAYLOAD_BYTES + 1): Code.NOT_JSON,
    }
    known = set(listed(stack))
    KafkaTopic(stack.kafka("ingest"), TRANSACTION_TOPIC).publish(
        [("garbage", value, now_ms()) for value in both]
    )
    unkeyed = encode(a_verdict(transaction_id=""))
    KafkaTopic(stack.kafka("detector"), FRAUD_TOPIC).publish([("garbage", unkeyed, now_ms())])

    def fresh() -> list[dict[str, Any]]:
        found = [one for name, one in listed(stack).items() if name not in known]
        by_topic = [one for one in found if one["stage"] != "ingest"]
        return by_topic if len(by_topic) >= 2 * len(both) + 1 else []

    records = eventually(fresh, within_seconds=120, what="every DLQ record", every_seconds=1)
    wanted = sorted(both.values())
    for stage in ("detector", "persister"):
        codes = sorted(
            x["code"] for x in records if x["stage"] == stage and "transaction" in x["id"]
        )
        assert codes == wanted
    assert [x["code"] for x in records if FRAUD_TOPIC in x["id"]] == [Code.ROW_REFUSED]
    # Replayed garbage is not dead-lettered a second time.
    ids = [one["id"] for one in records if one["code"] != Code.ROW_REFUSED]
    done = command(stack, "replay", "--json", *ids)
    assert done.returncode == 1
    assert {one["state"] for one in outcome(done).values()} == {"stays"}
    cut = [one["detail"] for one in outcome(done).values() if "only the first" in one["detail"]]
    assert len(cut) == 2


def test_a_dead_letter_is_shown_decrypted_without_control_characters(stack: PrivateStack) -> None:
    payload = b'{"name": "Erika \x1b[2J\xff"}' + b" " * 5_000 + b"end"
    name = put(stack, Stage.INGEST, f"feed:{uuid.uuid4().hex}", payload)
    done = command(stack, "show", name)
    assert done.returncode == 0, done.stderr
    assert '{"name": "Erika \ufffd[2J\ufffd"}' in done.stdout
    assert "end" not in done.stdout
    assert "personal data" in done.stderr
    whole = json.loads(command(stack, "show", name, "--all", "--json").stdout)
    assert whole["payload"] == payload.decode("utf-8", "replace")
    assert (whole["code"], whole["bytes"]) == ("wrong_schema", len(payload))


def test_a_repaired_dead_letter_is_replayed_to_its_own_target_once(
    stack: PrivateStack, session_of: Callable[[str], Session]
) -> None:
    session = session_of("console")
    one = uuid.uuid4().hex
    customer = a_token("q")
    at_ms = now_ms()
    names = {
        put(stack, Stage.INGEST, f"feed:{one}", encode(a_purchase(id=one, event_at_ms=at_ms))),
        put(
            stack,
            Stage.DETECTOR,
            "transaction_topic-0-900000001",
            encode(
                a_transaction(transaction_id=f"d:{one}", customer_token=customer, event_at_ms=at_ms)
            ),
        ),
        put(
            stack,
            Stage.PERSISTER,
            "fraud_topic-0-900000002",
            encode(a_verdict(transaction_id=f"p:{one}", decided_at_ms=at_ms, event_at_ms=at_ms)),
        ),
    }
    trial = command(stack, "replay", "--dry-run", "--json", *names)
    assert {x["state"] for x in outcome(trial).values()} == {"would_enter"}
    assert not is_stored(session, f"shop:{one}")

    done = command(stack, "replay", "--json", *names)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {x["state"] for x in outcome(done).values()} == {"replayed"}
    for stored in (f"shop:{one}", f"d:{one}", f"p:{one}"):
        eventually(lambda s=stored: is_stored(session, s), within_seconds=120, what=stored)  # type: ignore[misc]

    marks = listed(stack)
    assert all(marks[name]["is_replayed"] for name in names)
    assert not names & outcome(command(stack, "replay", "--dry-run", "--json")).keys()


def test_a_dead_letter_refused_again_stays_with_the_reason(stack: PrivateStack) -> None:
    origin = f"feed:{uuid.uuid4().hex}"
    name = put(stack, Stage.INGEST, origin, encode(a_purchase(currency="XXX")))
    done = command(stack, "replay", name)
    assert done.returncode == 1
    assert done.stdout.startswith("stays")
    assert "currency XXX has no number of decimals in ISO 4217" in done.stdout
    assert not listed(stack)[name]["is_replayed"]


def test_an_unknown_dead_letter_is_wrong_usage(stack: PrivateStack) -> None:
    for verb in ("show", "replay"):
        done = command(stack, verb, "ingest:feed:unknown")
        assert (done.returncode, done.stdout) == (2, "")
        assert "unknown" in done.stderr
