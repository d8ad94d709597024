"""Chart geometry: lines over days as points in a drawing, ready to connect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

WIDTH: Final = 640
HEIGHT: Final = 160
_MOST_MARKS = 45
_STEPS: Final = (1, 2, 3, 4, 5, 6, 8)


class ChartLine(NamedTuple):
    """Line of a chart."""

    name: str
    label: str
    points: tuple[tuple[float, float], ...]
    has_marks: bool


class Chart(NamedTuple):
    """Chart of lines over the same days; ``top`` is the value of its upper edge."""

    title: str
    top: int
    first: str
    last: str
    lines: tuple[ChartLine, ...]


def chart(title: str, days: Sequence[Mapping[str, Any]], lines: Mapping[str, str]) -> Chart:
    """Lay out a chart of some columns of the days; ``lines`` maps column to label."""
    top = _round_up(max((day[name] for day in days for name in lines), default=0))
    return Chart(
        title=title,
        top=top,
        first=days[0]["day"] if days else "",
        last=days[-1]["day"] if days else "",
        lines=tuple(
            ChartLine(
                name, label, _points([day[name] for day in days], top), len(days) <= _MOST_MARKS
            )
            for name, label in lines.items()
        ),
    )


def _points(values: Sequence[int], top: int) -> tuple[tuple[float, float], ...]:
    between = max(1, len(values) - 1)
    # A single day is placed in the middle.
    start = WIDTH / 2 if len(values) == 1 else 0.0
    return tuple(
        (round(start + WIDTH * place / between, 1), round(HEIGHT * (1 - value / top), 1))
        for place, value in enumerate(values)
    )


def _round_up(highest: int) -> int:
    """Round up to 1, 2, 3, 4, 5, 6, 8, 10, 20 ..., for a readable upper edge."""
    scale = 1
    while True:
        for step in _STEPS:
            if highest <= step * scale:
                return step * scale
        scale *= 10
