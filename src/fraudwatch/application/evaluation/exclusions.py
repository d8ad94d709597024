"""Describe what an evaluation excludes, without which its numbers are not comparable."""

from __future__ import annotations

from fraudwatch.application.evaluation.join import Joined
from fraudwatch.application.evaluation.ports import LabelledPurchases

NO_CARD = (
    "No card is excluded beforehand: purchases of cards already known to be compromised count,"
    " unlike in the Fraud Detection Handbook's protocol. Only in the card precision, a card that"
    " was found once is excluded on later days."
)
LABELS = "Labels are used without any delay, and by this report only: no replay reads them."
DEAD_LETTERED = (
    "The number of dead letters is unknown: they are sealed and name no purchase; see"
    " ./fraudwatch dead-letters ls."
)


def exclusions(labelled: LabelledPurchases, both: Joined, budget_a_day: int) -> list[str]:
    """Return one sentence for each exclusion, with counts."""
    sentences = [_coverage(both), NO_CARD, _budget(budget_a_day), LABELS, DEAD_LETTERED]
    counted = (
        (labelled.unlabelled, "rows have no label of either kind and are excluded."),
        (
            labelled.repeated,
            "rows repeat an id of the file; the first one in order of time counts.",
        ),
        (labelled.without_time, "rows of the whole file have no time, so they are in no interval."),
        (both.elsewhere, "verdicts of the same source are outside the labels or the interval."),
    )
    return sentences + [f"{count} {what}" for count, what in counted if count]


def _coverage(both: Joined) -> str:
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
