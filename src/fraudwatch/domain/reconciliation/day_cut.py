"""Cut the transaction log into days by offsets, for reconciliation.

The fold works in the order of (partition, offset), and Kafka's CreateTime need not rise with the
offset. So in each partition a day ends after its last message that was produced on that day or
before, and begins where the day before ended: days follow each other without gap or overlap, and a
late event belongs to the day on which it was produced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

Ends = Mapping[int, int]  # end offsets: by partition, the first offset that is no longer in it


@dataclass(frozen=True, slots=True)
class DayCut:
    """Offsets of a day by partition; a partition that is not in ``starts`` begins at offset 0."""

    starts: Ends
    ends: Ends

    def contains(self, partition: int, offset: int) -> bool:
        """Check whether the message at this offset belongs to the day."""
        return self.starts.get(partition, 0) <= offset < self.ends.get(partition, 0)

    @property
    def messages(self) -> int:
        """Number of offsets in the day."""
        return sum(end - self.starts.get(partition, 0) for partition, end in self.ends.items())


def is_before(ends: Ends, later: Ends) -> bool:
    """Check whether ``ends`` is nowhere beyond ``later``."""
    return all(end <= later.get(partition, 0) for partition, end in ends.items())


def ends_text(ends: Ends) -> str:
    """Format end offsets as table text: equal ends are equal texts."""
    return json.dumps({str(partition): ends[partition] for partition in sorted(ends)})


def ends_from(text: str) -> Ends:
    """Parse the text of :func:`ends_text`."""
    return {int(partition): int(end) for partition, end in json.loads(text).items()}
