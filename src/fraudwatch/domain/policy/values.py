"""Check values of a policy document, with errors that name the place."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from fraudwatch.domain.policy.policy import BrokenPolicy


def mapping(value: object, where: str) -> dict[str, Any]:
    """Return a mapping of names to settings.

    Raises:
        BrokenPolicy: the value is something else.
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
    """Check that no key is missing and no key is unknown.

    Raises:
        BrokenPolicy: a key is missing or unknown; the text names it.
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
    """Return a number from 0 to 1.

    Raises:
        BrokenPolicy: the value is something else.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:  # type: ignore[operator]  # a number by now
        raise BrokenPolicy(f"{where} must be a number from 0 to 1")
    return float(value)  # type: ignore[arg-type]


def whole(value: object, where: str) -> int:
    """Return a whole number, 0 at least.

    Raises:
        BrokenPolicy: the value is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BrokenPolicy(f"{where} must be a whole number, 0 at least")
    return value


def number(value: object, where: str) -> float:
    """Return a number, 0 at least.

    Raises:
        BrokenPolicy: the value is something else.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 <= value < float("inf"):  # type: ignore[operator]  # a number by now
        raise BrokenPolicy(f"{where} must be a number, 0 at least")
    return float(value)  # type: ignore[arg-type]
