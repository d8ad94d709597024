"""Define the dead letter: a message that cannot be processed, with code, origin and payload."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from fraudwatch.domain.messages.fields import Problem

# A DLQ record keeps this much of its payload, beside the size and hash of the whole.
KEPT_PAYLOAD_BYTES = 64 * 1024


class Code(enum.StrEnum):
    """Closed set of reasons; each code is a metric's label, so adding one is a decision."""

    NOT_JSON = "not_json"
    WRONG_SCHEMA = "wrong_schema"
    OUT_OF_BOUNDS = "out_of_bounds"
    UNKNOWN_CURRENCY = "unknown_currency"
    MISSING_RATE = "missing_rate"
    FUTURE_EVENT = "future_event"
    TOO_LATE = "too_late"
    OTHER_CONTENT = "other_content"
    ROW_REFUSED = "row_refused"


class Stage(enum.StrEnum):
    """Process that dead-lettered the message; a replay enters there again."""

    INGEST = "ingest"
    DETECTOR = "detector"
    PERSISTER = "persister"


class Refused(Exception):
    """Message that will never be accepted as it is; its values are never part of the text."""

    def __init__(self, code: Code, problems: Sequence[Problem]) -> None:
        self.code = code
        self.problems = tuple(problems)
        super().__init__(f"{code}: {self.reason}")

    @property
    def reason(self) -> str:
        """Return the fields and the rules they break, as one line."""
        return "; ".join(f"{p.field} {p.reason}" for p in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead-lettered message; ``origin`` is unique, so a second copy of it is recognised."""

    code: Code
    stage: Stage
    origin: str
    reason: str
    payload: bytes
    at_ms: int
