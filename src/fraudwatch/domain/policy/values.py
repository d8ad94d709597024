"""What a value of a policy document must be, said where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from fraudwatch.domain.policy.policy import BrokenPolicy


def mapping(value: object, where: str) -> dict[str, Any]:
    """Names with settings.

    Raises:
        BrokenPolicy: it is something else.
    """
    if not isinstance(value, Mapping):
        raise BrokenPolicy(f"{where} must be a mapping of names to settings")
    return dict(value)


def expect_keys(
    given: Mapping[str, Any],
    needed: AbstractSet[str],
    where: str,
    optional: AbstractSet[str] = frozenset(),
) -> None:
    """Let nothing be missing and nothing be there that no one reads.

    Raises:
        BrokenPolicy: naming the keys.
    """
    if missing := needed - set(given):
        raise BrokenPolicy(f"{where} lacks {', '.join(sorted(missing))}")
    known = needed | optional
    if unknown := set(given) - known:
        raise BrokenPolicy(
            f"{where} has unknown keys {', '.join(sorted(map(str, unknown)))}; "
            f"known are {', '.join(sorted(known))}"
        )


def share(value: object, where: str) -> float:
    """A number from 0 to 1.

    Raises:
        BrokenPolicy: it is something else.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:  # type: ignore[operator]  # a number by now
        raise BrokenPolicy(f"{where} must be a number from 0 to 1")
    return float(value)  # type: ignore[arg-type]


def whole(value: object, where: str) -> int:
    """A whole number from 0 on.

    Raises:
        BrokenPolicy: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BrokenPolicy(f"{where} must be a whole number from 0 on")
    return value
