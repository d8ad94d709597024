"""Cut the end of each topic in turn, and of Spark's checkpoint, while their readers are ahead.

A broker that flushes each message loses nothing (tests/integration/test_flush.py). These cuts are
of one that does not flush, or of an older copy of its folder: all that a topic got after a moment
is gone, and nothing of the others. Readers that are ahead must stop with the cure, and after the
cure every loss is exactly what was cut.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pytest

from chaos import load as loads
from chaos.findings import Findings
from chaos.ledger import accepted_ids
from chaos.load import Load
from chaos.run import ChaosRun, chaos_run, ledger_of
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.ends import committed_of, ends_of
from fraudwatch.adapters.kafka_log.known_topics import ANEW
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.label import Label, LabelValue, Source
from fraudwatch.stack import supervisor
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, running
from fraudwatch.topics import (
    AUDIT_TOPIC,
    FEATURE_TOPIC,
    FRAUD_TOPIC,
    LABELS_TOPIC,
    TRANSACTION_TOPIC,
)
from tests.e2e.cut_logs import TopicOnDisk, cut_checkpoint
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(3_600)]

PER_SECOND, LOAD_SECONDS, CUT_BATCHES, STARTS = 100, 10, 3, 8
BEYOND_THE_END = "the broker lost the end of its log"
# Consumer groups by topic; the detector continues at Spark's checkpoint.
GROUPS = {
    TRANSACTION_TOPIC: ("persister",),
    FRAUD_TOPIC: ("persister", "tally", "notifier", "webhooks"),
    FEATURE_TOPIC: (),
    LABELS_TOPIC: ("persister",),
    AUDIT_TOPIC: ("persister",),
}


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    settings = {**QUIET_SHOP, "KAFKA_FLUSH_EACH_MESSAGE": "False"}
    with running(tmp_path_factory.mktemp("cut"), settings, "speed") as started:
        yield started


@pytest.fixture(autouse=True)
def without_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead letter is named by its offset, which after a cut is another message's."""
    monkeypatch.setattr(loads, "TOO_LATE_SHARE", 0.0)


@dataclass(slots=True)
class Sent:
    """One run on the stack, and the purchases of each load."""

    run: ChaosRun
    stack: PrivateStack
    loads: int = 0

    def load(self) -> set[str]:
        """Send a load until every purchase has its row; returns its new ids.

        Each load repeats only its own purchases.
        """
        before = accepted_ids(ledger_of(self.run.folder))
        self.run.traffic.load = Load(self.loads + 1, self.run.traffic.load.source)
        self.run.traffic.stopping.clear()
        self.loads += 1
        with self.run.under_traffic():
            time.sleep(LOAD_SECONDS)
        self._send_records()
        self.run.drain()
        eventually(self.is_read, within_seconds=120, what="all topics to be read")
        return accepted_ids(ledger_of(self.run.folder)) - before

    def is_read(self) -> bool:
        """Whether every group is at the end of each of its topics."""
        kafka = self.stack.kafka("admin")
        return all(
            committed_of(kafka, group, topic) == ends_of(kafka, topic)
            for topic, groups in GROUPS.items()
            for group in groups
        )

    def _send_records(self) -> None:
        """Write a label and an audit record, as ingest and the console do."""
        name, now_ms = f"{self.run.traffic.load.source}:1-1", time.time_ns() // 1_000_000
        label = Label(
            schema="label.v1",
            transaction_id=name,
            verdict=LabelValue.FRAUD,
            source=Source.CHARGEBACK,
            by="bank",
            known_at_ms=now_ms,
        )
        audit = AuditRecord(
            schema="audit.v1",
            record_id=f"{now_ms:032x}",
            at_ms=now_ms,
            deed=AuditAction.REVEALED,
            by="analyst",
            reason="a test",
        )
        for topic, message in ((LABELS_TOPIC, label), (AUDIT_TOPIC, audit)):
            KafkaTopic(self.stack.kafka("admin"), topic).send([(name, encode(message), {})])


@pytest.fixture
def sent(own_stack: PrivateStack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sent]:
    source = f"cut{crc32(request.node.name.encode())}"
    with chaos_run(own_stack, tmp_path, Load(1, source), PER_SECOND, print) as run:
        yield Sent(run, own_stack)


def log_text(stack: PrivateStack, service: str) -> str:
    return supervisor.log_of(stack.home, service).read_text(encoding="utf-8", errors="replace")


def refusal(text: str, topic: str) -> str | None:
    """Return the sentence of a reader's log that refuses the topic."""
    lines = (line for line in text.splitlines() if BEYOND_THE_END in line and f"{topic}-" in line)
    return next(lines, None)


def start_and_cure(
    stack: PrivateStack, topic: str, began: dict[str, int], committed: dict[str, dict[int, int]]
) -> None:
    """Start the stack again and again, and accept the topic for each reader that refuses it.

    A start ends with the first service that refuses; the next ones are seen by the next start.

    Args:
        began: The readers that must refuse, with the length of their logs before.
        committed: Committed offsets before, by group.
    """
    left = set(began)
    for _ in range(STARTS):
        up = stack.command("up", "--profile", "speed", check=False)
        kafka = stack.kafka("admin")
        for service in sorted(left):
            text = refusal(log_text(stack, service)[began[service] :], topic)
            if text is None:
                continue
            assert "docs/runbooks/topic_changed.md" in text
            assert "nothing was read" in text
            if service in committed:
                after, before = committed_of(kafka, service, topic), committed[service]
                assert all(after[n] >= at for n, at in before.items()), f"{service} went on"
            accept(stack, service, topic)
            left.remove(service)
        if up.returncode == 0 and not left:
            return
    pytest.fail(f"{topic}: not refused by {sorted(left)}; the last start said {up.stderr[-2_000:]}")


def accept(stack: PrivateStack, service: str, topic: str) -> None:
    """Apply the cure of docs/runbooks/topic_changed.md."""
    if service != "detector":
        (stack.folder / service / "topics" / f"{topic}.json").write_text(ANEW)
        return
    aside = stack.folder / f"aside-{time.time_ns()}"
    aside.mkdir()
    for name in ("checkpoint", "snapshots", "topic_id.json"):
        shutil.move(stack.folder / "detector" / name, aside / name)
    for state in (stack.folder / "states").glob("*"):
        shutil.move(state, aside / state.name)


def cut_and_cure(sent: Sent, topic: str, readers: tuple[str, ...]) -> tuple[set[str], Findings]:
    """Cut a topic, expect its readers to refuse it, cure, load again, and count.

    Returns:
        The ids whose messages in the topic are gone, and the counts.
    """
    stack, kafka = sent.stack, sent.stack.kafka("admin")
    sent.load()
    on_disk = TopicOnDisk.now(stack.folder / "kafka", topic)
    gone = sent.load()
    ends = ends_of(kafka, topic)
    committed = {group: committed_of(kafka, group, topic) for group in GROUPS[topic]}
    began = {service: len(log_text(stack, service)) for service in readers}
    stack.kill_everything()
    assert on_disk.restore() > 0
    start_and_cure(stack, topic, began, committed)
    assert sum(ends_of(kafka, topic).values()) < sum(ends.values()), "else nothing was cut"
    sent.load()
    return gone, sent.run.count()


def test_purchases_that_the_broker_lost_are_known_by_their_rows(sent: Sent) -> None:
    gone, found = cut_and_cure(sent, TRANSACTION_TOPIC, ("detector", "persister"))
    # The detector begins anew and scores again what is left, at another time.
    assert (found.lost, found.duplicates, found.other_decisions) == (0, 0, 0), found.examples
    # Their vectors and verdicts stay, and only the log from which they could be folded is gone.
    assert found.mismatched_features == len(gone)
    assert {example.split(": ", 1)[1] for example in found.examples["mismatched_features"]} <= gone


def test_verdicts_that_the_broker_lost_are_in_their_rows(sent: Sent) -> None:
    gone, found = cut_and_cure(sent, FRAUD_TOPIC, GROUPS[FRAUD_TOPIC])
    assert (found.lost, found.conflicting, found.mismatched_features) == (0, 0, 0), found.examples
    # A row whose verdict is not on the topic counts as a duplicate.
    assert found.duplicates == len(gone)
    assert set(found.examples["duplicates"]) <= gone


def test_vectors_that_the_broker_lost_stop_no_service_of_the_stream(sent: Sent) -> None:
    gone, found = cut_and_cure(sent, FEATURE_TOPIC, ())
    assert (found.lost, found.duplicates, found.conflicting) == (0, 0, 0), found.examples
    assert found.mismatched_features == len(gone)
    reasons = {example.split(": ", 1)[0] for example in found.examples["mismatched_features"]}
    assert reasons == {"not published"}


@pytest.mark.parametrize("topic", [LABELS_TOPIC, AUDIT_TOPIC])
def test_a_cut_of_labels_or_audit_records_costs_no_purchase(sent: Sent, topic: str) -> None:
    _, found = cut_and_cure(sent, topic, ("persister",))
    assert found.ok, found.examples


def test_a_checkpoint_that_lost_its_end_costs_nothing(sent: Sent) -> None:
    """An older copy of the checkpoint: its own batches are on disk before their verdicts."""
    sent.load()
    sent.stack.kill_everything()
    cut_checkpoint(sent.stack.folder / "detector" / "checkpoint", CUT_BATCHES)
    sent.stack.start_again()
    sent.load()
    found = sent.run.count()
    wrong = (found.lost, found.duplicates, found.other_decisions, found.mismatched_features)
    assert wrong == (0, 0, 0, 0), found.examples
    assert found.repeated_messages > 0, "the batches that were cut are scored again"
