"""A day of the transaction log, cut by offsets: what a reconciliation calls a day.

The fold works in the order of (partition, offset), and Kafka's CreateTime need not rise with the
offset. So of each partition a day ends behind its last message that was produced on that day or
before, and begins where the day before ended: days follow each other without gap or overlap, and a
late event belongs to the day on which it was produced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

Ends = Mapping[int, int]  # by partition, the first offset that is no longer in it


@dataclass(frozen=True, slots=True)
class DayCut:
    """From where to where; a partition that ``starts`` does not name begins at offset 0."""

    starts: Ends
    ends: Ends

    def holds(self, partition: int, offset: int) -> bool:
        """Whether a message that stands there is one of the day's."""
        return self.starts.get(partition, 0) <= offset < self.ends.get(partition, 0)

    @property
    def messages(self) -> int:
        """How many offsets it spans."""
        return sum(end - self.starts.get(partition, 0) for partition, end in self.ends.items())


def is_before(ends: Ends, later: Ends) -> bool:
    """Whether nothing behind ``later`` is in ``ends``."""
    return all(end <= later.get(partition, 0) for partition, end in ends.items())


def ends_text(ends: Ends) -> str:
    """As a table holds them: equal ends are equal texts."""
    return json.dumps({str(partition): ends[partition] for partition in sorted(ends)})


def ends_from(text: str) -> Ends:
    """What :func:`ends_text` wrote."""
    return {int(partition): int(end) for partition, end in json.loads(text).items()}
