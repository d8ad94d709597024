"""Read the topic contracts, and derive Kafka ACLs from their producers and consumers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

# Kafka's own default: the operating system decides when a message is written to the disk.
_FLUSH_NEVER = 2**63 - 1
# Measures lag. It may describe every topic and group, and read no message.
MONITOR = "monitor"


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic's contract: partitions, limits, producers and consumers."""

    name: str
    partitions: int
    configuration: tuple[tuple[str, str], ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    described_by: tuple[str, ...] = ()
    """Users that may look up its id and offsets, and read no message."""
    deleted_by: tuple[str, ...] = ()
    """Users that may delete its beginning; Kafka has no smaller right than to delete it."""
    flush_each_message: bool = False
    """Whether an acknowledged message survives a power cut."""

    def configured(self, *, flush_each_message: bool) -> tuple[tuple[str, str], ...]:
        """Return its configuration; the flush is an operator's choice, and on for our stack."""
        every = 1 if self.flush_each_message and flush_each_message else _FLUSH_NEVER
        return (*self.configuration, ("flush.messages", str(every)))


@dataclass(frozen=True, order=True)
class AclRight:
    """An operation that one user may do (an ACL); all others are denied."""

    user: str
    operation: str
    kind: str
    name: str
    prefixed: bool = False


def read(folder: Path) -> tuple[Topic, ...]:
    """Read every topic contract of a folder."""
    return tuple(_topic(path) for path in sorted(folder.glob("*.yaml")))


def _topic(path: Path) -> Topic:
    page = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Topic(
        name=page["topic"],
        partitions=page["partitions"],
        configuration=(
            ("retention.ms", str(page["retention_ms"])),
            ("retention.bytes", str(page["retention_bytes"])),
            ("max.message.bytes", str(page["max_message_bytes"])),
            *([("segment.ms", str(page["segment_ms"]))] if "segment_ms" in page else []),
        ),
        producers=tuple(page["producers"]),
        consumers=tuple(page["consumers"]),
        described_by=tuple(page.get("described_by", ())),
        deleted_by=tuple(page.get("deleted_by", ())),
        flush_each_message=page.get("flush_each_message", False),
    )


def rights(topics: Iterable[Topic]) -> frozenset[AclRight]:
    """Grant producers write and describe; consumers read and describe, in groups of their name.

    The monitor may describe every topic with its limits, and every group.
    """
    found = {AclRight(MONITOR, "DESCRIBE", "GROUP", "*")}
    for topic in topics:
        found |= {
            AclRight(MONITOR, operation, "TOPIC", topic.name)
            for operation in ("DESCRIBE", "DESCRIBE_CONFIGS")
        }
        found |= {AclRight(user, "DESCRIBE", "TOPIC", topic.name) for user in topic.described_by}
        for user in topic.deleted_by:
            found |= {
                AclRight(user, operation, "TOPIC", topic.name)
                for operation in ("DELETE", "DESCRIBE")
            }
            found.add(AclRight(user, "DESCRIBE", "GROUP", "*"))
        for user in topic.producers:
            found |= {
                AclRight(user, operation, "TOPIC", topic.name)
                for operation in ("WRITE", "DESCRIBE")
            }
        for user in topic.consumers:
            found |= {
                AclRight(user, operation, "TOPIC", topic.name) for operation in ("READ", "DESCRIBE")
            }
            found.add(AclRight(user, "READ", "GROUP", user, prefixed=True))
    return frozenset(found)


def users(topics: Iterable[Topic]) -> tuple[str, ...]:
    """Return every producer and consumer in the contracts, and the monitor."""
    named = {
        user
        for topic in topics
        for user in topic.producers + topic.consumers + topic.described_by + topic.deleted_by
    }
    return tuple(sorted(named | {MONITOR}))
