"""What could not be taken: why, where it was read, and how much of it there was."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from fraudwatch.domain.messages.fields import Problem

# A letter keeps this much of its payload; size and hash tell the rest.
KEPT_PAYLOAD_BYTES = 64 * 1024


class Code(enum.StrEnum):
    """The closed set of reasons; a number per code is a metric, so a new one is a decision."""

    NOT_JSON = "not_json"
    WRONG_SCHEMA = "wrong_schema"
    OUT_OF_BOUNDS = "out_of_bounds"
    UNKNOWN_CURRENCY = "unknown_currency"
    FUTURE_EVENT = "future_event"
    TOO_LATE = "too_late"
    ROW_REFUSED = "row_refused"


class Stage(enum.StrEnum):
    """Which process put it aside; a replay enters there again."""

    INGEST = "ingest"
    DETECTOR = "detector"
    PERSISTER = "persister"


class Refused(Exception):
    """A message that will never be accepted as it is; its values are never part of the text."""

    def __init__(self, code: Code, problems: Sequence[Problem]) -> None:
        self.code = code
        self.problems = tuple(problems)
        super().__init__(f"{code}: {self.reason}")

    @property
    def reason(self) -> str:
        """The broken fields and rules, as one line."""
        return "; ".join(f"{p.field} {p.reason}" for p in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message put aside; ``origin`` is unique, so a second copy of it is recognised."""

    code: Code
    stage: Stage
    origin: str
    reason: str
    payload: bytes
    at_ms: int
