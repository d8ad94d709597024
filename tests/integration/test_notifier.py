"""The notifier over real Kafka and real SMTP: kill -9 between sending and recording."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from confluent_kafka import KafkaError, KafkaException

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.ends import committed_of, ends_of
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict
from fraudwatch.samples import a_token, a_verdict
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC
from tests.ports import free_port
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]
SECRET = "0123456789abcdef01234567"
MIB = 1024 * 1024


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Sink:
    """A mail server that collects mails, and kills a process once it has accepted one."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.victim: subprocess.Popen[bytes] | None = None

    async def handle_DATA(  # noqa: N802  aiosmtpd calls it by this name
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content)
        self.ids.append(str(mail["Message-ID"]))
        self.texts.append(envelope.content.decode())
        if self.victim is not None:
            # The mail is accepted, and its sender does not live to hear of it.
            self.victim.send_signal(signal.SIGKILL)
            self.victim.wait()
            self.victim = None
        return "250 OK"


@contextmanager
def mail_server(sink: Sink, port: int) -> Iterator[None]:
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@pytest.fixture
def sink() -> Sink:
    return Sink()


class Notifiers:
    """Starts notifiers on one state and ends them."""

    def __init__(self, stack: PrivateStack, folder: Path) -> None:
        self.smtp_port, self.metrics_port = free_port(), free_port()
        kafka = stack.kafka("notifier")
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "NOTIFIER_METRICS_PORT": str(self.metrics_port),
            "NOTIFIER_STATE_PATH": str(folder / "state.sqlite3"),
            "KNOWN_TOPICS_FOLDER": str(folder / "topics"),
            "NOTIFIER_MAIL_FROM": "alerts@example.test",
            "NOTIFIER_MAIL_TO": "analysts@example.test",
            "NOTIFIER_CHAT_URL": "none",
            "NOTIFIER_CONSOLE_URL": "http://127.0.0.1:8501",
            "NOTIFIER_CUSTOMER_EVENTS": "none",
            "NOTIFIER_EDGE_URL": "http://127.0.0.1:1",
            "NOTIFIER_EDGE_API_KEY": SECRET,
            "AIRFLOW_EMAIL_RECIPIENT": "oncall@example.test",
            "AIRFLOW_EMAIL_SMTP_HOST": "127.0.0.1",
            "AIRFLOW_EMAIL_SMTP_PORT": str(self.smtp_port),
            "AIRFLOW_EMAIL_SMTP_FROM": "airflow@example.test",
            "CASSANDRA_USERNAME": "notifier",
            "CASSANDRA_PASSWORD": SECRET,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "KAFKA_USERNAME": kafka.username,
            "KAFKA_PASSWORD": kafka.password.get_secret_value(),
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "streaming.notifier"]
        process = subprocess.Popen(command, cwd=ROOT, env=self._environment)
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


@pytest.fixture
def notifiers(kafka_stack: PrivateStack, tmp_path: Path) -> Iterator[Notifiers]:
    started = Notifiers(kafka_stack, tmp_path)
    yield started
    started.end()


def critical(customer: str) -> Verdict:
    at_ms = now_ms()
    return a_verdict(
        transaction_id=f"notifier:{uuid.uuid4().hex}",
        customer_token=a_token(customer),
        risk=Risk.CRITICAL,
        outcome=Outcome.DECLINE,
        event_at_ms=at_ms,
        decided_at_ms=at_ms,
    )


def publish(stack: PrivateStack, *verdicts: Verdict) -> None:
    topic = KafkaTopic(stack.kafka("detector"), FRAUD_TOPIC)
    topic.publish([(one.customer_token, encode(one), now_ms()) for one in verdicts])


def everything_is_committed(stack: PrivateStack) -> bool:
    admin = stack.kafka("admin")
    try:
        return committed_of(admin, "notifier", FRAUD_TOPIC) == ends_of(admin, FRAUD_TOPIC)
    except KafkaException as error:
        # A broker that has just started has no coordinator of the group yet.
        if error.args[0].code() != KafkaError.NOT_COORDINATOR:
            raise
        return False


def test_a_kill_after_the_mail_was_accepted_doubles_that_mail_alone(
    kafka_stack: PrivateStack, notifiers: Notifiers, sink: Sink
) -> None:
    with mail_server(sink, notifiers.smtp_port):
        first = notifiers.start()
        sink.victim = first
        publish(kafka_stack, critical("a"), critical("b"), critical("c"))
        eventually(lambda: first.poll() is not None, within_seconds=90, what="the kill")
        assert len(sink.ids) == 1
        notifiers.start()
        eventually(lambda: len(set(sink.ids)) == 3, within_seconds=90, what="three mails")
        eventually(
            lambda: everything_is_committed(kafka_stack), within_seconds=60, what="the commit"
        )
        time.sleep(3)
    counts = Counter(sink.ids)
    assert sorted(counts.values()) == [1, 1, 2]
    doubled = [t for i, t in zip(sink.ids, sink.texts, strict=True) if counts[i] == 2]
    assert doubled[0] == doubled[1]


def test_while_the_mail_server_is_down_offsets_move_on_and_nothing_is_lost(
    kafka_stack: PrivateStack, notifiers: Notifiers, sink: Sink
) -> None:
    process = notifiers.start()
    publish(kafka_stack, critical("d"), critical("e"))
    eventually(lambda: everything_is_committed(kafka_stack), within_seconds=90, what="the commit")
    memory_mib = resident_mib(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    notifiers.start()
    with mail_server(sink, notifiers.smtp_port):
        eventually(lambda: len(sink.ids) == 2, within_seconds=120, what="both mails")
        time.sleep(2)
    assert len(set(sink.ids)) == len(sink.ids) == 2
    assert memory_mib < 120, f"it needs {memory_mib:.0f} MiB"


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB
