"""What the stream tells the batch side: that something is there to be worked on."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact

CONTROL_SCHEMA = "control.v1"


class ControlKind(enum.StrEnum):
    """What has happened."""

    DAY_CLOSED = "day_closed"  # no purchase of this UTC day will come any more


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlMessage:
    """One sentence on ``control_topic``; it may come twice, so whoever hears it must bear that."""

    schema: Annotated[str, Fact("Message version", pattern=r"control\.v1")]
    kind: Annotated[ControlKind, Fact("What has happened")]
    day: Annotated[
        str, Fact("The day, UTC", pattern=r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
    ]


def day_closed(day: str) -> ControlMessage:
    """The sentence that a day is over."""
    return ControlMessage(schema=CONTROL_SCHEMA, kind=ControlKind.DAY_CLOSED, day=day)
