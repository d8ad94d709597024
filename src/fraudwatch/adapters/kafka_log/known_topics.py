"""Remember which topics a consumer group reads, by Kafka's topic id, in files of the home.

Kafka keeps a group's offsets by the topic's name, and drops them with the topic. So the id is kept
apart from them, a file a topic. To read a topic as it is now from its first message, an operator
writes the word ``anew`` into its file: committed offsets then count only after the group has
committed new ones.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.adapters.kafka_log.topic_check import (
    TopicChanged,
    TopicLog,
    check_positions,
    check_topic_id,
)

log = logging.getLogger(__name__)

ANEW: Final = "anew"


@dataclass(frozen=True, slots=True)
class _Known:
    """Id of a topic, and its partitions that are read from the start whatever is committed."""

    topic_id: str
    anew: frozenset[int] = frozenset()


@dataclass(slots=True)
class KnownTopics:
    """Topics that a group has read, in one folder; a folder belongs to one group."""

    folder: Path
    group: str
    look_up: Callable[[str], TopicLog]
    _known: dict[str, _Known] = field(default_factory=dict)

    def check(
        self, topic: str, committed: Callable[[str, Iterable[int]], Mapping[int, int]]
    ) -> None:
        """Check a topic before it is read, and remember it.

        ``committed`` looks up the group's offsets of those partitions that have any.

        Raises:
            TopicChanged: it was made anew, or a committed offset is none of its own.
            BrokerUnavailable: the broker does not answer.
        """
        found, path = self.look_up(topic), self._path(topic)
        known = _read(path)
        if known is None or known.topic_id == ANEW:
            anew = frozenset() if known is None else frozenset(found.ends)
            known = _Known(found.topic_id, anew)
            if anew:
                log.warning("%s is read from its first message, as %s asks", topic, path)
        cure = (
            f"see docs/runbooks/topic_changed.md; to read {topic} as it is now from its first "
            f"message, write the word {ANEW} into {path} and start {self.group} again"
        )
        check_topic_id(found, known.topic_id, reader=self.group, cure=cure)
        positions = committed(topic, found.ends.keys() - known.anew)
        check_positions(found, positions, reader=self.group, cure=cure)
        self._remember(topic, known)

    def topic_id(self, topic: str) -> str:
        """Return the id of a topic that was checked."""
        return self._known[topic].topic_id

    def is_anew(self, topic: str, partition: int) -> bool:
        """Whether the partition is to be read from its start, whatever is committed."""
        return topic in self._known and partition in self._known[topic].anew

    def committed(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Count the committed offsets of these partitions from now on."""
        for topic, partition in partitions:
            if self.is_anew(topic, partition):
                known = self._known[topic]
                self._remember(topic, _Known(known.topic_id, known.anew - {partition}))

    def _remember(self, topic: str, known: _Known) -> None:
        if self._known.get(topic) != known and _read(self._path(topic)) != known:
            document = {"topic_id": known.topic_id, ANEW: sorted(known.anew)}
            replace_file(self._path(topic), json.dumps(document).encode())
        self._known[topic] = known

    def _path(self, topic: str) -> Path:
        return self.folder / f"{topic}.json"


def _read(path: Path) -> _Known | None:
    """Read a file; None where there is none yet.

    Raises:
        TopicChanged: it is damaged, so the id of the topic that was read is unknown.
    """
    try:
        text = path.read_text(encoding="utf-8").strip().strip("\"'")
    except FileNotFoundError:
        return None
    if text == ANEW:
        return _Known(ANEW)
    try:
        document = json.loads(text)
        return _Known(str(document["topic_id"]), frozenset(map(int, document[ANEW])))
    except (ValueError, KeyError, TypeError) as error:
        raise TopicChanged(
            f"{path} is damaged, so which topic was read is unknown and nothing was read; remove "
            f"it if the topic is the same as before, else write the word {ANEW} into it"
        ) from error
