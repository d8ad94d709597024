"""JSON paths of columns, names and indices only: ``$.customer.country``, ``$.items[0].price``.

A path names exactly one value of a record, so wildcards, filters and ``..`` are refused. The dotted
form without ``$`` is read as well: ``customer.country``, ``items.0.price``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

Step = str | int
"""A name within an object, or an index within a list; the index counts from the end below 0."""
_STEP = re.compile(r"\.(?P<name>[^.\[\]'\"*]+)|\[(?P<index>-?[0-9]{1,9})\]|\['(?P<quoted>[^']+)'\]")


class WrongPath(ValueError):
    """The text begins like a JSON path and is none that is supported."""


def is_json_path(name: str) -> bool:
    """Return whether a column's name is a JSON path, and not a plain or dotted name."""
    return name == "$" or name.startswith(("$.", "$["))


@functools.cache
def steps_of(path: str) -> tuple[Step, ...]:
    """Parse a JSON path.

    Raises:
        WrongPath: it is none, or has more than names and indices.
    """
    steps: list[Step] = []
    position = 1
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None:
            raise WrongPath(
                "is no path of names and indices such as $.items[0].price or $['odd name']"
            )
        index = found["index"]
        steps.append(int(index) if index is not None else found["name"] or found["quoted"])
        position = found.end()
    return tuple(steps)


def value_at(item: dict[str, Any], path: str) -> Any:
    """Return the value of a record at a JSON path or a dotted name; None where there is none."""
    if path in item:
        return item[path]
    if is_json_path(path):
        return _followed(item, steps_of(path))
    return _followed(item, path.split("."))


def first_within(path: str) -> str:
    """Return the path of the first item of the list at a path, in its own form."""
    return f"{path}[0]" if is_json_path(path) else f"{path}.0"


def _followed(item: Any, steps: Sequence[Step]) -> Any:
    found = item
    for step in steps:
        if isinstance(found, dict):
            found = found.get(step) if isinstance(step, str) else None
        elif isinstance(found, list) and (index := _index(step)) is not None:
            found = found[index] if -len(found) <= index < len(found) else None
        else:
            return None
    return found


def _index(step: Step) -> int | None:
    if isinstance(step, int):
        return step
    return int(step) if step.isdecimal() else None


def is_part_of(name: str, whole: str) -> bool:
    """Return whether a name means the same value as ``whole``, or one within it.

    Dots are steps only beside a JSON path: a CSV file may have a column ``label.date``.
    """
    if name == whole:
        return True
    if not (is_json_path(name) or is_json_path(whole)):
        return False
    try:
        inner, outer = _texts(name), _texts(whole)
    except WrongPath:
        return False
    return inner[: len(outer)] == outer


def _texts(name: str) -> list[str]:
    return [str(step) for step in steps_of(name)] if is_json_path(name) else name.split(".")
