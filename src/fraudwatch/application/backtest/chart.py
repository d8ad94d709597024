"""Lines over days as places in a drawing; what draws them only has to connect them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

WIDTH: Final = 640
HEIGHT: Final = 160
_MOST_MARKS = 45
_STEPS: Final = (1, 2, 3, 4, 5, 6, 8)


class Line(NamedTuple):
    """One line of a chart."""

    name: str
    label: str
    points: tuple[tuple[float, float], ...]
    has_marks: bool


class Chart(NamedTuple):
    """Lines over the same days, and what its upper edge stands for."""

    title: str
    top: int
    first: str
    last: str
    lines: tuple[Line, ...]


def chart(title: str, days: Sequence[Mapping[str, Any]], lines: Mapping[str, str]) -> Chart:
    """A chart of some columns of the days; ``lines`` is column to label."""
    top = _round_up(max((day[name] for day in days for name in lines), default=0))
    return Chart(
        title=title,
        top=top,
        first=days[0]["day"] if days else "",
        last=days[-1]["day"] if days else "",
        lines=tuple(
            Line(name, label, _points([day[name] for day in days], top), len(days) <= _MOST_MARKS)
            for name, label in lines.items()
        ),
    )


def _points(values: Sequence[int], top: int) -> tuple[tuple[float, float], ...]:
    between = max(1, len(values) - 1)
    # One day alone stands in the middle.
    start = WIDTH / 2 if len(values) == 1 else 0.0
    return tuple(
        (round(start + WIDTH * place / between, 1), round(HEIGHT * (1 - value / top), 1))
        for place, value in enumerate(values)
    )


def _round_up(highest: int) -> int:
    """The next of 1, 2, 3, 4, 5, 6, 8, 10, 20 ..., so that the edge is a number people know."""
    scale = 1
    while True:
        for step in _STEPS:
            if highest <= step * scale:
                return step * scale
        scale *= 10
