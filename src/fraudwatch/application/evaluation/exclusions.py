"""What the numbers leave out, in words: without this they cannot be compared with others."""

from __future__ import annotations

from fraudwatch.application.evaluation.join import Joined
from fraudwatch.application.evaluation.ports import Truth

NO_CARD = (
    "No card is left out beforehand: purchases of cards already known to be compromised count,"
    " unlike in the Fraud Detection Handbook's protocol. In the card precision alone, a card that"
    " was found once is left out of later days."
)
LABELS = "Labels are used without any delay, and by this report alone: no replay reads them."
PUT_ASIDE = (
    "How many were put aside is unknown: dead letters are sealed and name no purchase; see"
    " ./fraudwatch dead-letters ls."
)


def exclusions(truth: Truth, both: Joined, budget_a_day: int) -> list[str]:
    """One sentence for each choice, counts included."""
    said = [_reach(both), NO_CARD, _budget(budget_a_day), LABELS, PUT_ASIDE]
    counted = (
        (truth.unlabelled, "rows have no label of either kind and are left out."),
        (truth.repeated, "rows repeat an id of the file; the first one in order of time counts."),
        (truth.without_time, "rows of the whole file have no time, so they lie in no interval."),
        (both.elsewhere, "verdicts of the same source lie outside the labels or the interval."),
    )
    return said + [f"{count} {what}" for count, what in counted if count]


def _reach(both: Joined) -> str:
    if not both.missing:
        return "Every labelled purchase has a verdict, so every number is over all of them."
    return (
        f"Every number is over purchases that have a verdict; {sum(both.missing.values())} labelled"
        f" purchases have none, {both.missing_frauds} frauds among them, and count nowhere else."
    )


def _budget(a_day: int) -> str:
    return (
        f"The budget is {a_day} a day: cards in the card precision, purchases in the value caught."
        " Days are UTC; a day without a verdict is no day."
    )
