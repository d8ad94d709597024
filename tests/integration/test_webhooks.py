"""The webhooks over real Kafka and a client on loopback, with kill -9 after an acknowledgement."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.ends import committed_of, ends_of
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox
from fraudwatch.adapters.webhooks.subscription_file import SubscriptionFile
from fraudwatch.application.webhooks.subscriptions import SubscriptionRequest, Subscriptions
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict
from fraudwatch.domain.webhooks.signature import signature_headers
from fraudwatch.domain.webhooks.subscription import EventKind, Subscription
from fraudwatch.samples import a_token, a_verdict
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC, LABELS_TOPIC
from tests.ports import free_port
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]
MIB = 1024 * 1024


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Client:
    """A client's program that verifies each event, and can kill its sender or refuse purchases."""

    secrets: dict[str, str] = field(default_factory=dict)
    got: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)  # path, id, body
    bodies: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    refused: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    kill_at: int = 0
    victim: subprocess.Popen[bytes] | None = None

    def answer(self, path: str, headers: dict[str, str], content: bytes) -> int:
        webhook_id, sent_at = headers["webhook-id"], int(headers["webhook-timestamp"])
        expected = signature_headers([self.secrets[path]], webhook_id, sent_at, content)
        if headers["webhook-signature"] != expected["webhook-signature"]:
            self.broken.append(webhook_id)
            return 401
        body = json.loads(content)
        if body["data"]["transaction_id"] in self.refused:
            return 500
        self.got.append((path, webhook_id, body))
        self.bodies[webhook_id].add(content)
        if self.victim is not None and len(self.got) >= self.kill_at:
            # The event is processed, and its sender does not live to note it.
            self.victim.send_signal(signal.SIGKILL)
            self.victim.wait()
            self.victim = None
        return 204

    def transactions(self, path: str, prefix: str) -> list[str]:
        """Return the purchases of the events of this path, each at its first time."""
        first = {i: b for p, i, b in reversed(self.got) if p == path}
        order = dict.fromkeys(i for p, i, _ in self.got if p == path)
        names = [first[i]["data"]["transaction_id"] for i in order]
        return [name for name in names if name.startswith(prefix)]


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def url(client: Client) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(client.answer(self.path, headers, content))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Webhooks:
    """Starts the service on one folder and ends it."""

    def __init__(self, stack: PrivateStack, folder: Path) -> None:
        kafka = stack.kafka("webhooks")
        self.outbox_path = folder / "outbox.sqlite3"
        self.subscriptions = Subscriptions(
            SubscriptionFile(folder / "subscriptions.json"), lambda *_: None, now_ms
        )
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "WEBHOOKS_METRICS_PORT": str(free_port()),
            "WEBHOOKS_SUBSCRIPTIONS_PATH": str(folder / "subscriptions.json"),
            "WEBHOOKS_OUTBOX_PATH": str(self.outbox_path),
            "KNOWN_TOPICS_FOLDER": str(folder / "topics"),
            "WEBHOOKS_ALLOW_LOOPBACK": "true",
            "WEBHOOKS_MAX_ATTEMPTS": "4",
            "WEBHOOKS_FIRST_PAUSE_SECONDS": "1",
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "KAFKA_USERNAME": kafka.username,
            "KAFKA_PASSWORD": kafka.password.get_secret_value(),
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def add(self, client: Client, url: str, path: str, **limits: Any) -> Subscription:
        request = SubscriptionRequest(
            **{"url": url + path, "client": "shop", "events": list(EventKind), **limits}
        )
        added = self.subscriptions.add(request, allow_loopback=True)
        client.secrets[path] = added.secrets[0].text
        return added

    def start(self, **settings: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "streaming.webhooks"]
        process = subprocess.Popen(command, cwd=ROOT, env={**self._environment, **settings})
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


@pytest.fixture
def webhooks(kafka_stack: PrivateStack, tmp_path: Path) -> Iterator[Webhooks]:
    # The group is shared by the tests of this file: it begins behind what they left.
    started = Webhooks(kafka_stack, tmp_path)
    yield started
    started.end()


def alerts(prefix: str, customers: str) -> list[Verdict]:
    at_ms = now_ms()
    return [
        a_verdict(
            transaction_id=f"{prefix}:{number}-{customer}",
            customer_token=a_token(customer),
            risk=Risk.HIGH,
            outcome=Outcome.DECLINE,
            event_at_ms=at_ms,
            decided_at_ms=at_ms,
        )
        for number, customer in enumerate(customers)
    ]


def publish(stack: PrivateStack, verdicts: list[Verdict]) -> None:
    topic = KafkaTopic(stack.kafka("detector"), FRAUD_TOPIC)
    topic.publish([(one.customer_token, encode(one), now_ms()) for one in verdicts])


def decide(stack: PrivateStack, transaction_id: str, value: LabelValue) -> None:
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id=transaction_id,
        verdict=value,
        source=Source.ANALYST,
        by="lina",
        known_at_ms=now_ms(),
    )
    topic = KafkaTopic(stack.kafka("console"), LABELS_TOPIC)
    topic.publish([(transaction_id, encode(label), now_ms())])


def everything_is_committed(stack: PrivateStack) -> bool:
    admin = stack.kafka("admin")
    return all(
        committed_of(admin, "webhooks", topic) == ends_of(admin, topic)
        for topic in (FRAUD_TOPIC, LABELS_TOPIC)
    )


def a_source() -> str:
    return f"w{uuid.uuid4().hex[:8]}"


def of_customer(names: list[str], customer: str) -> list[str]:
    return [name for name in names if name.endswith(f"-{customer}")]


def test_a_kill_after_an_acknowledgement_repeats_that_event_alone_and_keeps_the_order(
    kafka_stack: PrivateStack, webhooks: Webhooks, client: Client, url: str
) -> None:
    source = a_source()
    webhooks.add(client, url, "/all", sources=[source])
    sent = alerts(source, "abacabab")
    client.kill_at = 3
    client.victim = first = webhooks.start()
    publish(kafka_stack, sent)
    eventually(lambda: first.poll() is not None, within_seconds=90, what="the kill")
    assert len(client.got) == 3
    memory_mib = resident_mib(webhooks.start().pid)

    def ids() -> set[str]:
        return {webhook_id for _, webhook_id, _ in client.got}

    eventually(lambda: len(ids()) == len(sent), within_seconds=90, what="all events")
    eventually(lambda: everything_is_committed(kafka_stack), within_seconds=60, what="the commit")
    time.sleep(2)
    assert client.broken == []
    assert len(client.got) <= len(sent) + 1, "only the one in flight may be repeated"
    assert all(len(bodies) == 1 for bodies in client.bodies.values()), "a repeat has other bytes"
    names = client.transactions("/all", source)
    for customer in "abc":
        expected = [one.transaction_id for one in sent]
        assert of_customer(names, customer) == of_customer(expected, customer)
    assert memory_mib < 100, f"it needs {memory_mib:.0f} MiB"


def test_a_refused_customer_is_dead_lettered_and_replayed_while_others_go_on(
    kafka_stack: PrivateStack, webhooks: Webhooks, client: Client, url: str
) -> None:
    source, other = a_source(), a_source()
    mine = webhooks.add(client, url, "/mine", sources=[source])
    webhooks.add(client, url, "/other", sources=[other])
    sent = alerts(source, "aab")
    first, second, third = (one.transaction_id for one in sent)
    client.refused = {first}
    # Five attempts take 7.5 s at least: time for the other partition's message to come.
    webhooks.start(WEBHOOKS_MAX_ATTEMPTS="5")
    publish(kafka_stack, [*sent, *alerts(other, "a")])
    eventually(
        lambda: client.transactions("/mine", source) == [third, second],
        within_seconds=120,
        what="the customer's next event after the give-up",
    )
    assert len(client.transactions("/other", other)) == 1
    outbox = SqliteOutbox(webhooks.outbox_path)
    [dead] = outbox.dead_events(mine.subscription_id, 10)
    assert (dead.transaction_id, dead.attempts) == (first, 5)
    client.refused = set()
    assert outbox.replay(mine.subscription_id, 0, now_ms(), dead_only=True) == 1
    eventually(
        lambda: client.transactions("/mine", source) == [third, second, first],
        within_seconds=60,
        what="the replayed event",
    )
    assert dead.webhook_id in {webhook_id for _, webhook_id, _ in client.got}


def test_a_decision_follows_its_verdict_and_an_unsure_one_is_not_sent(
    kafka_stack: PrivateStack, webhooks: Webhooks, client: Client, url: str
) -> None:
    source = a_source()
    webhooks.add(client, url, "/decisions", sources=[source])
    [verdict] = alerts(source, "d")
    webhooks.start()
    publish(kafka_stack, [verdict])
    eventually(lambda: len(client.got) == 1, within_seconds=90, what="the verdict")
    decide(kafka_stack, verdict.transaction_id, LabelValue.UNSURE)
    decide(kafka_stack, verdict.transaction_id, LabelValue.FRAUD)
    eventually(lambda: len(client.got) == 2, within_seconds=60, what="the decision")
    time.sleep(2)
    assert [body["type"] for _, _, body in client.got] == ["verdict", "decision"]
    decision = client.got[1][2]["data"]
    assert (decision["decision"], decision["decided_by"]) == ("fraud", "analyst")
    assert "lina" not in json.dumps(decision)


def test_without_the_setting_nothing_reaches_this_machine(
    kafka_stack: PrivateStack, webhooks: Webhooks, client: Client, url: str
) -> None:
    source = a_source()
    one = webhooks.add(client, url, "/refused", sources=[source])
    webhooks.start(WEBHOOKS_ALLOW_LOOPBACK="false")
    publish(kafka_stack, alerts(source, "e"))
    outbox = SqliteOutbox(webhooks.outbox_path)
    eventually(
        lambda: bool(outbox.dead_events(one.subscription_id, 10)),
        within_seconds=120,
        what="the give-up",
    )
    assert outbox.dead_events(one.subscription_id, 10)[0].failure.startswith("address_refused")
    assert client.got == []


def resident_mib(pid: int) -> float:
    time.sleep(10)  # until its imports are done and its threads run
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB
