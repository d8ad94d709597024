"""Define the control event: the stream's message to the batch half that there is work."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact

CONTROL_SCHEMA = "control.v1"


class ControlKind(enum.StrEnum):
    """Kind of control event."""

    DAY_CLOSED = "day_closed"  # no more purchases of this UTC day will come


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlMessage:
    """One control event on ``control_topic``; at least once, so consumers must expect repeats."""

    schema: Annotated[str, Fact("Message version", pattern=r"control\.v1")]
    kind: Annotated[ControlKind, Fact("Kind of event")]
    day: Annotated[
        str, Fact("The day, UTC", pattern=r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
    ]


def day_closed(day: str) -> ControlMessage:
    """Make the control event that a day is closed."""
    return ControlMessage(schema=CONTROL_SCHEMA, kind=ControlKind.DAY_CLOSED, day=day)
