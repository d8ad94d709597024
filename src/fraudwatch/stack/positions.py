"""Read where a running stack is: end offsets, the detector's checkpoint, consumer groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka import KafkaException
from pydantic import SecretStr

from fraudwatch.adapters.kafka_log.ends import ends_of, starts_of, topics_of
from fraudwatch.adapters.kafka_log.group_lag import GroupPosition, group_position
from fraudwatch.adapters.lake.spark_checkpoint import (
    CheckpointDamaged,
    begun_batch,
    committed_ends,
)
from fraudwatch.settings import KafkaSettings
from fraudwatch.stack import env_file
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.drain import DETECTOR, GROUPS, Backlog
from fraudwatch.stack.home import Home, StackError
from fraudwatch.topics import TRANSACTION_TOPIC

Found = TypeVar("Found")
_PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class DetectorFolder:
    """The detector's folder, as the checkpoint's reader needs it."""

    state_folder: Path


@dataclass(frozen=True, kw_only=True)
class Positions:
    """End offsets of the topics, and how far detector and consumer groups are."""

    ends: Mapping[str, Mapping[int, int]]
    scored: Mapping[int, int]
    groups: Mapping[str, Mapping[str, Mapping[int, int]]]

    def as_document(self) -> dict[str, Any]:
        """Return the positions with keys that JSON can have."""
        return {
            "ends": {topic: _text_keys(ends) for topic, ends in self.ends.items()},
            "scored": _text_keys(self.scored),
            "groups": {
                group: {topic: _text_keys(offsets) for topic, offsets in topics.items()}
                for group, topics in self.groups.items()
            },
        }


@dataclass(frozen=True, kw_only=True)
class PositionReader:
    """Reads the positions of one home; the services that run decide what is waited for."""

    kafka: KafkaSettings
    detector: DetectorFolder
    running: Collection[str]

    @classmethod
    def of(
        cls,
        home: Home,
        catalogue: Catalogue,
        settings: Mapping[str, str],
        running: Collection[str],
    ) -> PositionReader:
        """Open a home's positions as Kafka's administrator."""
        port = catalogue.port("kafka", "broker", env_file.port_offset(settings))
        return cls(
            kafka=KafkaSettings(
                bootstrap_servers=f"127.0.0.1:{port}",
                username="admin",
                password=SecretStr(settings["KAFKA_ADMIN_PASSWORD"]),
            ),
            detector=DetectorFolder(home.folder / "detector"),
            running=running,
        )

    def backlog(self) -> Backlog:
        """Count what the running services have not done yet.

        Raises:
            StackError: Kafka does not answer, or the checkpoint is damaged.
        """
        return _retried(self._backlog)

    def _backlog(self) -> Backlog:
        groups = {name: self._group(name) for name in GROUPS if name in self.running}
        return Backlog(
            unscored=self._unscored() if DETECTOR in self.running else 0,
            begun_batch=begun_batch(self.detector),
            unread={name: one.unread for name, one in groups.items()},
            absent=tuple(name for name, one in groups.items() if not one.members),
        )

    def positions(self) -> Positions:
        """Read all positions; call it on a drained stack, so that they belong together."""
        return _retried(self._positions)

    def _positions(self) -> Positions:
        return Positions(
            ends={topic: ends_of(self.kafka, topic) for topic in topics_of(self.kafka)},
            scored=committed_ends(self.detector, TRANSACTION_TOPIC),
            groups={name: self._group(name).committed for name in GROUPS},
        )

    def begins_at_zero(self) -> bool:
        """Whether retention has removed nothing from transaction_topic."""
        return not any(_retried(lambda: starts_of(self.kafka, TRANSACTION_TOPIC)).values())

    def _group(self, name: str) -> GroupPosition:
        return group_position(self.kafka, name)

    def _unscored(self) -> int:
        starts = starts_of(self.kafka, TRANSACTION_TOPIC)
        scored = committed_ends(self.detector, TRANSACTION_TOPIC)
        return sum(
            max(0, end - max(scored.get(number, 0), starts[number]))
            for number, end in ends_of(self.kafka, TRANSACTION_TOPIC).items()
        )


def _retried(read: Callable[[], Found]) -> Found:
    """Read, again while the broker does not answer: a busy one misses a deadline now and then."""
    for pause_seconds in (*_PAUSES_SECONDS, None):
        try:
            return read()
        except (KafkaException, CheckpointDamaged) as error:
            if pause_seconds is None or isinstance(error, CheckpointDamaged):
                raise StackError(
                    f"positions cannot be read, so nothing goes on: {error}"
                ) from error
            time.sleep(pause_seconds)
    raise AssertionError("the last attempt returns or raises")


def _text_keys(offsets: Mapping[int, int]) -> dict[str, int]:
    return {str(number): at for number, at in sorted(offsets.items())}
