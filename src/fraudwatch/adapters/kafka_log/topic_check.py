"""Compare what a reader remembers of a topic with the topic that the broker has.

A position is a number, and could be one of any topic. It is wrong where the topic was made anew,
where the broker lost the topic's end (a power cut without a flush, an older copy of its folder), or
where retention removed messages that were not read yet. In each case the reader would skip messages
without a sign, so it stops at its start, and its error names the fix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class TopicChanged(RuntimeError):
    """The reader's position is not one of this topic; the text has cause, effect and fix."""


class TopicLog(NamedTuple):
    """A topic as the broker has it: its id, and its first and end offsets by partition."""

    topic: str
    topic_id: str
    starts: Mapping[int, int]
    ends: Mapping[int, int]


def check_topic_id(found: TopicLog, known: str | None, *, reader: str, cure: str) -> None:
    """Check that the topic is the one that was read before; None where no id is remembered yet.

    Raises:
        TopicChanged: it has another id, whether it is shorter by now or longer.
    """
    if known is not None and known != found.topic_id:
        raise TopicChanged(
            f"{found.topic} was made anew: its id is {found.topic_id}, and {reader} read the topic "
            f"of id {known}; its offsets mean other messages, so nothing was read; {cure}"
        )


def check_ends(found: TopicLog, positions: Mapping[int, int], *, reader: str, cure: str) -> None:
    """Check that each position, the next offset to read, is not beyond the end of its partition.

    Raises:
        TopicChanged: one is.
    """
    beyond = [
        f"{found.topic}-{partition} ends at offset {found.ends.get(partition, 0)}, and {reader} "
        f"continues at {position}"
        for partition, position in sorted(positions.items())
        if position > found.ends.get(partition, 0)
    ]
    if beyond:
        raise TopicChanged(
            f"{'; '.join(beyond)}: the broker lost the end of its log, in a power cut or because "
            "an older copy of it was restored, and gives the same offsets to other messages, so "
            f"nothing was read; {cure}"
        )


def check_positions(
    found: TopicLog, positions: Mapping[int, int], *, reader: str, cure: str
) -> None:
    """Check that each position, the next offset to read, is still one of its partition.

    Raises:
        TopicChanged: a position is beyond the end, or before what retention has left.
    """
    check_ends(found, positions, reader=reader, cure=cure)
    check_starts(found, positions, reader=reader, cure=cure)


def check_starts(found: TopicLog, positions: Mapping[int, int], *, reader: str, cure: str) -> None:
    """Check that each position is not before what retention has left.

    Raises:
        TopicChanged: one is, so messages were lost before they were read.
    """
    removed = [
        f"{found.topic}-{partition} begins at offset {found.starts.get(partition, 0)}, and "
        f"{reader} continues at {position}"
        for partition, position in sorted(positions.items())
        if position < found.starts.get(partition, 0)
    ]
    if removed:
        raise TopicChanged(
            f"{'; '.join(removed)}: retention removed messages that were not read, so nothing was "
            f"read; {cure}"
        )
