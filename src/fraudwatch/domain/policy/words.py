"""Describe a policy in sentences that need no programming: each rule with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final, NamedTuple

from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.policy.policy import AlertBudget, DeclineLimits, FixedScore, Policy
from fraudwatch.domain.rules.lists import DenyList

_FLOOR_WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.REVIEW: "It is always reviewed at least.",
    Outcome.CHALLENGE: "It is always challenged at least.",
    Outcome.DECLINE: "It is always declined.",
}
_EUR_CENTS: Final = "eur_cents"
# Sentence of each rule; its parameters are filled in, amounts in euro, ratios in percent.
RULE_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "high_amount": ("High amount", "The amount is {at_least_eur_cents} or more."),
    "above_own_level": (
        "Above the customer's level",
        (
            "The amount is at least {at_least_times_mean} times the customer's mean, "
            "{at_least_deviations} standard deviations above it and {at_least_eur_cents} or "
            "more, with {at_least_purchases_30d} purchases in 30 days to compare with."
        ),
    ),
    "spend_above_own_level": (
        "Spend above the customer's level",
        (
            "The last day's spend is at least {at_least_times_usual_day} times the customer's "
            "usual day and {at_least_eur_cents} or more, with purchases on "
            "{at_least_purchase_days_30d} of 30 days to compare with."
        ),
    ),
    "new_device_high_amount": (
        "New device, high amount",
        "The device is not one of the customer's and the amount is {at_least_eur_cents} or more.",
    ),
    "bulk_buying": ("Bulk buying", "The purchase has {at_least_items} items or more."),
    "rapid_purchases": (
        "Rapid purchases",
        "The customer makes more than {more_than} purchases or attempts in 10 minutes.",
    ),
    "unusual_hours": (
        "Unusual hour",
        (
            "Fewer than {share_below_ratio} of the customer's purchases are in this hour of "
            "the day, of {at_least_purchases_30d} or more in 30 days."
        ),
    ),
    "impossible_travel": (
        "Impossible travel",
        (
            "Since the last purchase with the card present the customer would have travelled "
            "more than {farther_than_km} km, faster than {faster_than_kmh} km/h."
        ),
    ),
    "failed_payments": (
        "Failed payments",
        "{at_least_10m} payments or more failed in 10 minutes, or {at_least_1h} in an hour.",
    ),
    "card_testing": (
        "Card testing",
        (
            "{at_least_small_1h} attempts or more below 5 EUR and {at_least_failed_1h} failed "
            "payments in an hour, the last attempt at most {at_most_seconds_since_last} "
            "seconds ago."
        ),
    ),
    "risky_merchant": (
        "Risky merchant",
        (
            "At least {fraud_at_least_ratio} of the merchant's purchases in 30 days are known "
            "fraud, of {at_least_purchases_30d} or more."
        ),
    ),
    "shared_device": (
        "Shared device",
        "More than {more_than_customers_30d} customers used the device in 30 days.",
    ),
    "watch_list_match": (
        "Watch list",
        "The customer's name has a similarity of {from_similarity} or more to one on a watch list.",
    ),
    DenyList.name: (
        "Deny list",
        "The customer, card, device, network, merchant or its country is on the deny list.",
    ),
}


class Sentence(NamedTuple):
    """One part of a policy in words."""

    title: str
    text: str


def rules_in_words(policy: Policy) -> Iterator[Sentence]:
    """Describe each rule: when it hits, and what then happens."""
    for rule in policy.rules:
        title, _ = RULE_SENTENCES[rule.name]
        values = {} if isinstance(rule, DenyList) else asdict(rule)  # type: ignore[call-overload]
        found = rule_sentence(rule.name, values)
        floor = policy.floors.get(rule.name)
        then = "" if floor is None else f" {_FLOOR_WORDS[floor]}"
        yield Sentence(title, f"{found}{then} Without a model it counts {rule.points} points.")


def rule_sentence(name: str, parameters: Mapping[str, Any]) -> str:
    """Describe when a rule with these parameters hits."""
    _, template = RULE_SENTENCES[name]
    return template.format(**{key: _value(key, one) for key, one in parameters.items()})


def limits_in_words(policy: Policy) -> Iterator[Sentence]:
    """Describe budget, declines, challenges, novelty, control group and levels."""
    yield Sentence("Review", _review(policy.review))
    yield Sentence("Decline by score", _decline(policy.decline))
    if policy.challenge is not None:
        yield Sentence("Challenge", f"From a score of {policy.challenge.from_score:g} on.")
    if policy.novelty_alerts_a_day:
        yield Sentence(
            "Novelty",
            f"About {policy.novelty_alerts_a_day:g} purchases a day that the model calls harmless "
            "are reviewed because they are very unusual.",
        )
    yield Sentence("Control group", _control(policy))
    if policy.critical_from_eur_cents is not None:
        yield Sentence(
            "High value",
            f"From {euro(policy.critical_from_eur_cents)} on, an alert is CRITICAL.",
        )
    if policy.scores_by_points:
        yield Sentence("Score", "Points of the rules are the score; no model is used.")
    points = ", ".join(f"{one.risk} from {one.from_points} points" for one in policy.levels[1:])
    yield Sentence("Levels without a model", f"{points}.")


def euro(cents: int) -> str:
    """Format euro cents."""
    return f"{cents / 100:,.2f} EUR"


def _value(name: str, value: Any) -> str:
    if name.endswith(_EUR_CENTS):
        return euro(value)
    if not isinstance(value, (int, float)):
        return str(value)
    written: Callable[[Any], str] = "{:.1%}".format if name.endswith("_ratio") else "{:,g}".format
    return written(value)


def _review(review: AlertBudget | FixedScore) -> str:
    if isinstance(review, FixedScore):
        return f"Purchases are reviewed from a score of {review.from_score:g} on."
    return (
        f"As many of the highest scores as make {review.alerts_a_day:g} alerts a day in all, and "
        f"at most {review.share_at_most:.1%} of all purchases."
    )


def _decline(decline: DeclineLimits | FixedScore | None) -> str:
    if decline is None:
        return "No purchase is declined by its score."
    if isinstance(decline, FixedScore):
        return f"Purchases are declined from a score of {decline.from_score:g} on."
    return (
        f"Only where at least {decline.precision_at_least:.1%} of such purchases were fraud on "
        f"past days, and at most {decline.honest_declined_at_most:.4%} of honest purchases were "
        "among them."
    )


def _control(policy: Policy) -> str:
    if not policy.control.share:
        return "Off: the precision of declines is not measured."
    return f"{policy.control.share:.1%} of the declines by score are reviewed instead, to measure."
