"""A broker on a real disk: what it acknowledges was flushed, by Java's own record of each flush."""

from __future__ import annotations

import json
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from fraudwatch.adapters.kafka_log.log import KafkaTopic, client_config
from fraudwatch.stack import java
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import (
    AUDIT_TOPIC,
    DEAD_LETTER_TOPIC,
    FEATURE_TOPIC,
    FRAUD_TOPIC,
    LABELS_TOPIC,
    TRANSACTION_TOPIC,
)

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

FLUSHED = (
    TRANSACTION_TOPIC,
    FRAUD_TOPIC,
    FEATURE_TOPIC,
    LABELS_TOPIC,
    AUDIT_TOPIC,
    DEAD_LETTER_TOPIC,
)
RECORDING = "flushes"
# Java leaves out what is faster than 20 ms unless a threshold says otherwise.
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<configuration version="2.0">
  <event name="jdk.FileForce">
    <setting name="enabled">true</setting>
    <setting name="threshold">0 ns</setting>
    <setting name="stackTrace">false</setting>
  </event>
</configuration>
"""
CALLS, PER_CALL = 12, 5
_HEAD = struct.Struct(">qi")  # base offset, and length of the rest


class FlushRecorder:
    """Record of every flush that a Java process asks of the operating system."""

    def __init__(self, pid: int, java_home: Path, folder: Path) -> None:
        self._pid, self._programs, self._folder = pid, java_home / "bin", folder
        if not (self._programs / "jcmd").exists():
            pytest.skip(f"{java_home} has no jcmd, so flushes cannot be recorded; install a JDK")

    def start(self) -> None:
        settings = self._folder / "flushes.jfc"
        settings.write_text(SETTINGS, encoding="utf-8")
        self._jcmd(f"JFR.start name={RECORDING} settings={settings}")

    def stop(self) -> Counter[str]:
        """Return the number of flushes by file."""
        file = self._folder / "flushes.jfr"
        self._jcmd(f"JFR.stop name={RECORDING} filename={file}")
        shown = subprocess.run(
            [self._programs / "jfr", "print", "--json", "--events", "jdk.FileForce", file],
            capture_output=True,
            text=True,
            check=True,
        )
        events = json.loads(shown.stdout)["recording"]["events"]
        return Counter(event["values"]["path"] or "" for event in events)

    def _jcmd(self, command: str) -> None:
        subprocess.run(
            [self._programs / "jcmd", str(self._pid), *command.split()],
            capture_output=True,
            text=True,
            check=True,
        )


@pytest.fixture
def recorder(kafka_stack: PrivateStack, tmp_path: Path) -> FlushRecorder:
    java_home = java.ensure(kafka_stack.home, lambda _: None)
    return FlushRecorder(kafka_stack.pid("kafka"), java_home, tmp_path)


def batches_of(log: Path) -> Iterator[int]:
    """Yield the base offset of each batch of a segment; a produced batch is appended as one."""
    content, position = log.read_bytes(), 0
    while position + _HEAD.size <= len(content):
        base_offset, length = _HEAD.unpack_from(content, position)
        if length <= 0:  # a segment that is preallocated ends in zeros
            return
        yield base_offset
        position += _HEAD.size + length


def segments(stack: PrivateStack, topic: str) -> list[Path]:
    found = sorted((stack.folder / "kafka").rglob(f"{topic}-*/*.log"))
    assert found, f"{topic} has no segment in {stack.folder / 'kafka'}"
    return found


def flushes_while_producing(
    stack: PrivateStack, recorder: FlushRecorder, topic: str, flush_messages: str
) -> tuple[int, int]:
    """Return the flushes of a new topic's segment, and the batches in it."""
    admin = AdminClient({**client_config(stack.kafka("admin"))})
    wanted = NewTopic(topic, 1, 1, config={"flush.messages": flush_messages})
    admin.create_topics([wanted])[topic].result(30)
    try:
        recorder.start()
        sender = KafkaTopic(stack.kafka("admin"), topic)
        for call in range(CALLS):  # each waits until the broker has acknowledged
            sender.send([("key", b"%d" % call, {})] * PER_CALL)
        flushes = recorder.stop()
        [segment] = segments(stack, topic)
        return flushes[str(segment)], len(list(batches_of(segment)))
    finally:
        admin.delete_topics([topic])[topic].result(30)


def test_each_acknowledged_batch_is_flushed(
    kafka_stack: PrivateStack, recorder: FlushRecorder
) -> None:
    flushes, batches = flushes_while_producing(kafka_stack, recorder, "flushed_topic", "1")
    assert batches >= CALLS
    assert flushes >= batches


def test_without_the_setting_a_batch_is_not_flushed(
    kafka_stack: PrivateStack, recorder: FlushRecorder
) -> None:
    never = str(2**63 - 1)
    flushes, batches = flushes_while_producing(kafka_stack, recorder, "unflushed_topic", never)
    assert batches >= CALLS
    assert flushes < batches, "else the test above shows nothing"


@pytest.mark.parametrize("topic", FLUSHED)
def test_topics_have_the_setting(kafka_stack: PrivateStack, topic: str) -> None:
    admin = AdminClient({**client_config(kafka_stack.kafka("admin"))})
    wanted = ConfigResource(ResourceType.TOPIC, topic)
    found = admin.describe_configs([wanted])[wanted].result(30)
    assert found["flush.messages"].value == "1"
