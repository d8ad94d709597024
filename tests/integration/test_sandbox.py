"""A sandbox key: purchases are judged as live, and stored nowhere among the real ones."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.cursor import PartitionCursor
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.adapters.store.verdict_lookup import CassandraVerdictLookup
from fraudwatch.samples import a_purchase
from fraudwatch.stack import environments
from fraudwatch.stack.foreground import environment_of
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import SANDBOX_TRANSACTION_TOPIC, TRANSACTION_PARTITIONS
from tests.waiting import eventually

pytestmark = pytest.mark.engines


@pytest.fixture
def shadow(stack: PrivateStack) -> Iterator[None]:
    """The process that judges sandbox purchases, which the stack of this run does not have."""
    environments.ensure(stack.home, "shadow", print)
    launch = stack.launches["shadow"]
    started = subprocess.Popen(launch.argv, env=dict(environment_of(stack.home, launch)), cwd=ROOT)
    yield
    started.terminate()
    started.wait(30)


@pytest.fixture
def lookup(stack: PrivateStack) -> Iterator[CassandraVerdictLookup]:
    session = connect(stack.cassandra("ingest"))
    found = CassandraVerdictLookup(lambda: session)
    found.open()
    yield found
    close(session)


@pytest.fixture
def sandbox(stack: PrivateStack) -> Iterator[httpx.Client]:
    """A client of ingest with a sandbox key."""
    made = stack.command(
        "keys", "make", "--client", "tester", "--scope", "ingest", "--sandbox", "--json"
    )
    key = json.loads(made.stdout)
    assert key["is_sandbox"]
    with stack.http("ingest", "INGEST_API_KEY") as client:
        client.headers["Authorization"] = f"Bearer {key['key']}"
        yield client


def buy(client: httpx.Client, name: str) -> dict[str, Any]:
    """Post a purchase of an amount that the shipped policy alerts about, and wait."""
    purchase = a_purchase(
        source="sandboxed",
        id=name,
        customer_id="one-customer",
        event_at_ms=time.time_ns() // 1_000_000,
        amount_minor=250_000,
    )
    path = "/v1/transactions?wait_seconds=5"
    return dict(client.post(path, content=encode(purchase)).json())


def test_a_sandbox_purchase_gets_its_verdict_and_is_stored_nowhere(
    stack: PrivateStack,
    sandbox: httpx.Client,
    lookup: CassandraVerdictLookup,
    shadow: None,  # noqa: ARG001  the process
) -> None:
    run, sent = uuid.uuid4().hex[:12], list[str]()

    def judged() -> dict[str, Any] | None:
        # One that was published before the sandbox began gets no verdict.
        sent.append(f"sandboxed:{run}-{len(sent)}")
        answer = buy(sandbox, sent[-1].removeprefix("sandboxed:"))
        assert answer["is_sandbox"] is True
        return answer if answer["verdicts"] else None

    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        buy(ingest, f"{run}-before")  # the detector has scored, so there is a live policy
        answer = eventually(judged, within_seconds=180, what="a verdict of the sandbox")
        assert answer is not None
        [verdict] = answer["verdicts"]
        assert verdict["transaction_id"] == sent[-1]
        assert "high_amount" in {reason["rule"] for reason in verdict["reasons"]}
        # A real purchase of the same id is new, and stored; the others never are.
        real = buy(ingest, sent[-1].removeprefix("sandboxed:"))
    assert (real["accepted"], real["repeated"]) == (1, 0)
    assert "is_sandbox" not in real
    eventually(
        lambda: lookup.verdicts_of([sent[-1]]), within_seconds=30, what="the real one in the store"
    )
    assert lookup.verdicts_of(sent) == lookup.verdicts_of([sent[-1]])
    label = {"source": "sandboxed", "id": f"{run}-0", "verdict": "fraud", "by": "issuer"}
    refused = sandbox.post("/v1/labels", content=encode(label))
    assert refused.status_code == 403
    assert "sandbox key" in refused.json()["detail"]


def test_nothing_personal_is_on_the_topic_of_the_sandbox(
    stack: PrivateStack, sandbox: httpx.Client
) -> None:
    at_ms, name = time.time_ns() // 1_000_000, uuid.uuid4().hex
    bought = a_purchase(source="sandboxed", id=name, event_at_ms=at_ms)
    assert sandbox.post("/v1/transactions", content=encode(bought)).status_code == 202
    found: list[bytes] = []
    for partition in range(TRANSACTION_PARTITIONS):
        cursor = PartitionCursor(stack.kafka("shadow"), SANDBOX_TRANSACTION_TOPIC, partition)
        try:
            cursor.seek(cursor.offset_at(at_ms - 60_000))
            found += [one.value() or b"" for one in cursor.read(100, 5.0)]
        finally:
            cursor.close()
    [message] = [one for one in found if name.encode() in one]
    assert json.loads(message).get("sealed") is None
    assert bought.customer_id.encode() not in message
