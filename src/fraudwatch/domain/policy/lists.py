"""Build the lists of a policy document of before lists were a file of their own.

An entry is checked against the bounds of the same field of a transaction: one that can never match,
such as a card number instead of its token, is refused, and never quoted.
"""

from __future__ import annotations

import re
from typing import Final

from fraudwatch.domain.messages.fields import Fact, columns_of
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.policy.combination import FULL_SCORE_POINTS
from fraudwatch.domain.policy.policy import BrokenPolicy
from fraudwatch.domain.policy.values import expect_keys, mapping, whole
from fraudwatch.domain.rules.lists import LIST_COLUMNS, NEVER_EXPIRES, DenyList, ListEntries

_COLUMNS: Final = frozenset({"card_token", "device_token", "merchant_id", "merchant_country"})
_FACTS: Final[dict[str, Fact]] = {
    column.name: column.fact for column in columns_of(Transaction) if column.name in LIST_COLUMNS
}


def deny_list_from(given: object) -> DenyList:
    """Build the deny list and its points.

    Raises:
        BrokenPolicy: see :func:`fraudwatch.domain.policy.document.policy_from`.
    """
    where = "lists.deny"
    settings = mapping(given, where)
    expect_keys(settings, {"points"}, where, _COLUMNS)
    points = whole(settings.pop("points"), f"{where}: points")
    if points > FULL_SCORE_POINTS:
        raise BrokenPolicy(f"{where}: points must be at most {FULL_SCORE_POINTS}")
    return DenyList(points, _listed(settings, where))


def allow_list_from(given: object) -> ListEntries:
    """Build the allow list.

    Raises:
        BrokenPolicy: see :func:`fraudwatch.domain.policy.document.policy_from`.
    """
    where = "lists.allow"
    settings = mapping(given, where)
    expect_keys(settings, set(), where, _COLUMNS)
    return _listed(settings, where)


def _listed(settings: dict[str, object], where: str) -> ListEntries:
    return ListEntries(**{name: _entries(name, some, where) for name, some in settings.items()})


def _entries(name: str, given: object, where: str) -> dict[str, int]:
    if not isinstance(given, list):
        raise BrokenPolicy(f"{where}: {name} must be a list of texts, [] for none")
    for number, entry in enumerate(given, start=1):
        if not isinstance(entry, str):
            raise BrokenPolicy(
                f"{where}: {name}, entry {number} must be a text; quote it: to YAML, NO without "
                "quotes is false and 007 a number"
            )
        if wrong := never_matches(name, entry):
            raise BrokenPolicy(f"{where}: {name}, entry {number} can never match, it {wrong}")
    return dict.fromkeys(given, NEVER_EXPIRES)


def never_matches(column: str, entry: str) -> str | None:
    """Return why an entry can match no value of this column; None if it can."""
    rule = _FACTS[column]
    if not entry:
        return "is empty"
    if rule.pattern is not None and not re.fullmatch(rule.pattern, entry):
        return f"is not of the form {rule.pattern}"
    if rule.max_length is not None and len(entry) > rule.max_length:
        return f"is longer than {rule.max_length} characters"
    return None
