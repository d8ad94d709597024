"""Reasons that a declined customer may be given: true, clear, and of no use to a fraudster.

A sentence names what kind of thing was unusual, never a limit, a count, a list or another customer:
a fraudster who knows these stays just below them. A rule without a sentence gives the general one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from fraudwatch.domain.messages.verdict import Reason

_AMOUNT: Final = "The amount is unusual for this card or account."
_PATTERN: Final = "The purchase differs from how you usually pay."
_ATTEMPTS: Final = "There were several payment attempts within a short time."
_CONNECTION: Final = "We could not recognise the device or connection that was used."
_DETAILS: Final = "We could not confirm the payment details."
_IDENTITY: Final = "We have to check your identity."
GENERAL: Final = "Our automated security check could not confirm that this purchase was yours."

SENTENCES: Final[Mapping[str, str]] = {
    "high_amount": _AMOUNT,
    "above_own_level": _AMOUNT,
    "spend_above_own_level": _AMOUNT,
    "high_value": _AMOUNT,
    "bulk_buying": _PATTERN,
    "unusual_hours": _PATTERN,
    "impossible_travel": _PATTERN,
    "rapid_purchases": _ATTEMPTS,
    "failed_payments": _ATTEMPTS,
    "card_testing": _ATTEMPTS,
    "new_device_high_amount": _CONNECTION,
    "shared_device": _CONNECTION,
    "risky_merchant": _DETAILS,
    "deny_list": _DETAILS,
    "watch_list_match": _IDENTITY,
    "model": _PATTERN,
    "anomaly": _PATTERN,
    "novelty": _PATTERN,
}
# Reasons against an alert, or of our own measurements: no reason to decline.
NOT_GIVEN: Final = frozenset({"allow_list", "control_group"})
RIGHTS: Final = (
    "This was decided automatically. You may ask for a person to review it, and tell us your view."
)


def reasons_for_customer(reasons: Iterable[Reason]) -> list[str]:
    """Return the sentences for the reasons of a verdict, each once, in the order of the reasons."""
    given = [reason for reason in reasons if reason.rule not in NOT_GIVEN]
    found = dict.fromkeys(SENTENCES.get(reason.rule, GENERAL) for reason in given)
    return list(found) or [GENERAL]
