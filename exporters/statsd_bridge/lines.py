"""Parse StatsD lines with InfluxDB tags, as in ``name,tag=value:1.5|ms|@0.1``.

What statsd_exporter understands beside these (other styles of tags, sets, several values for one
type) is refused and counted, never guessed.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

_LINE: Final = re.compile(r"(?P<name>[^:|#\[\],]+)(?P<tags>(?:,[^:|#\[\],]*)*):(?P<samples>.+)")
_NUMBER: Final = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_SAMPLE: Final = re.compile(
    rf"(?P<value>[+-]?{_NUMBER})\|(?P<kind>c|g|ms|h|d)(?:\|@(?P<rate>{_NUMBER}))?", re.ASCII
)
# As statsd_exporter does: several hyphens in a row become one underscore.
_NOT_IN_NAMES: Final = re.compile(r"-+|[^a-zA-Z0-9_]")
_RESERVED_LABELS: Final = frozenset({"le", "quantile"})
_MS_IN_SECOND: Final = 1_000.0


class BadLine(ValueError):
    """A line is not StatsD with InfluxDB tags; the message says why."""


class Kind(enum.StrEnum):
    """Kind of a metric, by its StatsD type."""

    COUNTER = "counter"
    GAUGE = "gauge"
    TIMER = "timer"
    """Types ms, h and d; ms become seconds."""

    @classmethod
    def of(cls, type_name: str) -> Self:
        """Return the kind of a StatsD type."""
        return cls({"c": "counter", "g": "gauge"}.get(type_name, "timer"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value that was sent."""

    name: str
    """As sent, before mapping."""
    labels: tuple[tuple[str, str], ...] = ()
    """Sorted by name."""
    kind: Kind
    value: float
    is_change: bool = False
    """The value of a gauge is added to the last one."""
    times: int = 1
    """How many observations of a timer it stands for."""


def parse_line(line: bytes) -> Iterator[Sample]:
    """Parse one line; samples before a bad one count.

    Raises:
        BadLine: the line, or its next sample, cannot be read.
    """
    try:
        found = _LINE.fullmatch(line.decode())
    except UnicodeDecodeError as error:
        raise BadLine("not UTF-8") from error
    if found is None:
        raise BadLine("not of the form name,tag=value:number|type")
    labels = tuple(sorted(_labels(found["tags"]).items()))
    for text in found["samples"].split(":"):
        yield _sample(found["name"], labels, text)


def plain_name(name: str) -> str:
    """Replace characters that Prometheus does not have in names by underscores."""
    plain = _NOT_IN_NAMES.sub("_", name)
    return f"_{plain}" if plain[0].isdecimal() else plain


def _labels(tags: str) -> dict[str, str]:
    labels = dict[str, str]()
    for tag in tags.split(",")[1:]:
        key, _, value = tag.partition("=")
        if not (key and value):
            raise BadLine(f"tag {tag!r} is not of the form name=value")
        label = plain_name(key)
        if label.startswith("__") or label in _RESERVED_LABELS:
            raise BadLine(f"tag {tag!r} has a name that Prometheus keeps for itself")
        labels[label] = value
    return labels


def _sample(name: str, labels: tuple[tuple[str, str], ...], text: str) -> Sample:
    found = _SAMPLE.fullmatch(text)
    if found is None:
        raise BadLine(f"{text!r} is not of the form number|type; types are c, g, ms, h and d")
    kind, value, rate = Kind.of(found["kind"]), float(found["value"]), float(found["rate"] or 1)
    if not math.isfinite(value):
        raise BadLine(f"{text!r} has a number that is too large")
    if not 0 < rate <= 1:
        raise BadLine(f"{text!r} has a sample rate outside 0 to 1")
    if kind is Kind.COUNTER and value < 0:
        raise BadLine(f"{text!r} would lower a counter")
    return Sample(
        name=name,
        labels=labels,
        kind=kind,
        value=_scaled(value, found["kind"], rate),
        is_change=kind is Kind.GAUGE and found["value"][0] in "+-",
        times=int(1 / rate) if kind is Kind.TIMER else 1,
    )


def _scaled(value: float, type_name: str, rate: float) -> float:
    if type_name == "ms":
        return value / _MS_IN_SECOND
    return value / rate if type_name == "c" else value
