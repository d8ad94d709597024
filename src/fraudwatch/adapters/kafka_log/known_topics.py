"""Remember which topics a consumer group reads, by Kafka's topic id, in files of the home.

Kafka keeps a group's offsets by the topic's name, and drops them with the topic. So the id is kept
apart from them, a file a topic. To read a topic as it is now from its first message, an operator
writes the word ``anew`` into its file: committed offsets then count only after the group has
committed new ones. In the same way a command that has made up for lost messages writes where the
group continues (:meth:`KnownTopics.continue_at`): nobody else can commit for a group that runs.
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
    check_ends,
    check_starts,
    check_topic_id,
)

log = logging.getLogger(__name__)

# Looks up a group's committed offsets of those of these partitions that have any.
Committed = Callable[[str, Iterable[int]], Mapping[int, int]]
ANEW: Final = "anew"
_CONTINUE_AT: Final = "continue_at"


@dataclass(frozen=True, slots=True)
class _Known:
    """Id of a topic, and where its partitions are read from, whatever is committed."""

    topic_id: str
    anew: frozenset[int] = frozenset()
    """From the start."""
    continue_at: Mapping[int, int] = field(default_factory=dict)

    def without(self, partition: int) -> _Known:
        """Count what is committed for a partition."""
        others = {one: at for one, at in self.continue_at.items() if one != partition}
        return _Known(self.topic_id, self.anew - {partition}, others)


@dataclass(slots=True)
class KnownTopics:
    """Topics that a group has read, in one folder; a folder belongs to one group."""

    folder: Path
    group: str
    look_up: Callable[[str], TopicLog]
    refill: str = ""
    """Command that makes up for what retention removed, if the group has one."""
    _known: dict[str, _Known] = field(default_factory=dict)

    def check(self, topic: str, committed: Committed) -> None:
        """Check a topic before it is read, and remember it.

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
        positions = _positions(known, found, committed)
        check_ends(found, positions, reader=self.group, cure=cure)
        if self.refill:
            cure = (
                f"write them from the lake with {self.refill} {topic}, and {self.group} goes on; "
                f"or {cure}"
            )
        check_starts(found, positions, reader=self.group, cure=cure)
        self._remember(topic, known)

    def positions(self, topic: str, committed: Committed) -> Mapping[int, int]:
        """Return the next offsets to read, without partitions that are read from the start.

        Raises:
            TopicChanged: the topic was made anew, or lacks its end, which is no lack of its start.
            BrokerUnavailable: the broker does not answer.
        """
        found, known = self.look_up(topic), _read(self._path(topic))
        if known is None or known.topic_id == ANEW:
            return {}
        cure = "see docs/runbooks/topic_changed.md"
        check_topic_id(found, known.topic_id, reader=self.group, cure=cure)
        positions = _positions(known, found, committed)
        check_ends(found, positions, reader=self.group, cure=cure)
        return positions

    def continue_at(self, topic: str, offsets: Mapping[int, int]) -> None:
        """Let the group continue at these offsets, by partition, whatever it has committed."""
        known = _read(self._path(topic))
        if known is None:
            raise TopicChanged(
                f"{self._path(topic)} does not exist, so {self.group} has not read {topic} and its "
                f"position was not moved; start {self.group}"
            )
        moved = {**known.continue_at, **offsets}
        self._remember(topic, _Known(known.topic_id, known.anew - offsets.keys(), moved))

    def topic_id(self, topic: str) -> str:
        """Return the id of a topic that was checked."""
        return self._known[topic].topic_id

    def is_anew(self, topic: str, partition: int) -> bool:
        """Whether the partition is to be read from its start, whatever is committed."""
        return topic in self._known and partition in self._known[topic].anew

    def start_of(self, topic: str, partition: int) -> int | None:
        """Return where the partition is continued, whatever is committed; None: there."""
        known = self._known.get(topic)
        return None if known is None else known.continue_at.get(partition)

    def committed(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Count the committed offsets of these partitions from now on."""
        for topic, partition in partitions:
            if topic in self._known:
                self._remember(topic, self._known[topic].without(partition))

    def _remember(self, topic: str, known: _Known) -> None:
        if self._known.get(topic) != known and _read(self._path(topic)) != known:
            document: dict[str, object] = {"topic_id": known.topic_id, ANEW: sorted(known.anew)}
            if known.continue_at:
                document[_CONTINUE_AT] = {str(n): at for n, at in known.continue_at.items()}
            replace_file(self._path(topic), json.dumps(document).encode())
        self._known[topic] = known

    def _path(self, topic: str) -> Path:
        return self.folder / f"{topic}.json"


def _positions(known: _Known, found: TopicLog, committed: Committed) -> dict[int, int]:
    asked = found.ends.keys() - known.anew - known.continue_at.keys()
    return {**committed(found.topic, asked), **known.continue_at}


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
        offsets = {int(n): int(at) for n, at in document.get(_CONTINUE_AT, {}).items()}
        return _Known(str(document["topic_id"]), frozenset(map(int, document[ANEW])), offsets)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TopicChanged(
            f"{path} is damaged, so which topic was read is unknown and nothing was read; remove "
            f"it if the topic is the same as before, else write the word {ANEW} into it"
        ) from error
