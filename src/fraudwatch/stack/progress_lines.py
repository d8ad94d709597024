"""Progress lines of a start: one for each service that is ready, written and read in one place.

The demo reads them from an `up` that runs beside it as a process of its own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_READY = re.compile(r"(?P<service>\w+) (?:ready|done) after (?P<seconds>\d+(?:\.\d+)?) s")


class ReadyLine(NamedTuple):
    """A service that became ready, or a job that is done, and how long that took."""

    service: str
    seconds: float
    is_job: bool = False

    def __str__(self) -> str:
        """Format the line."""
        return f"{self.service} {'done' if self.is_job else 'ready'} after {self.seconds} s"


def parse_ready_line(line: str) -> ReadyLine | None:
    """Parse a line of progress; None if it is of another kind."""
    found = _READY.fullmatch(line)
    if found is None:
        return None
    return ReadyLine(found["service"], float(found["seconds"]), " done " in line)
