"""What alerts were worth: verdicts beside what their purchases turned out to be, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.label import Label, Source, Truth
from fraudwatch.domain.messages.verdict import Outcome, Verdict


@dataclass(slots=True, kw_only=True)
class Outcomes:
    """The labelled purchases of one UTC day of event; those without a label are in none of it."""

    caught: int = 0
    """Frauds that were alerts."""
    missed: int = 0
    """Frauds that were approved."""
    false_positives: int = 0
    """Alerts on genuine purchases."""
    caught_eur_cents: int = 0
    missed_eur_cents: int = 0


def outcomes(verdicts: Iterable[Verdict], labels: Iterable[Label]) -> dict[str, Outcomes]:
    """Hold verdicts against labels; by day of the event, days without a label left out.

    Of several verdicts on a transaction the one decided last stands.
    """
    truths = standing_truths(labels)
    days: dict[str, Outcomes] = {}
    for verdict in _latest(verdicts).values():
        if (truth := truths.get(verdict.transaction_id)) is not None:
            _add(days.setdefault(day_of(verdict.event_at_ms), Outcomes()), verdict, truth)
    return days


class RuleTruth(NamedTuple):
    """What is known of the purchases that one rule hit."""

    frauds: int = 0
    labelled: int = 0


def truths_by_rule(verdicts: Iterable[Verdict], labels: Iterable[Label]) -> dict[str, RuleTruth]:
    """How many of the labelled purchases that a rule hit were fraud; by the rule's name."""
    truths = standing_truths(labels)
    rules: dict[str, RuleTruth] = {}
    for verdict in _latest(verdicts).values():
        if (truth := truths.get(verdict.transaction_id)) is None:
            continue
        for rule in {reason.rule for reason in verdict.reasons}:
            frauds, labelled = rules.get(rule, RuleTruth())
            rules[rule] = RuleTruth(frauds + (truth is Truth.FRAUD), labelled + 1)
    return rules


def decided_by_analysts(labels: Iterable[Label]) -> list[Label]:
    """All that is said of the purchases that an analyst has decided.

    Chargebacks name frauds and hardly ever a genuine purchase: a share of false alarms among those
    would always be zero. What the bank says later of a decided purchase still counts, so that an
    analyst's mistake is no false alarm.
    """
    known = list(labels)
    decided = standing_truths(label for label in known if label.source is Source.ANALYST)
    return [label for label in known if label.transaction_id in decided]


def standing_truths(labels: Iterable[Label]) -> Mapping[str, Truth]:
    """What each transaction is known to be; left out where nobody is sure.

    The latest word of each source stands, so an analyst who is no longer sure takes their own word
    back and not the bank's. Of two sources that are sure the later one is believed, and the bank at
    the same instant.
    """
    said: dict[tuple[str, Source], Label] = {}
    for label in labels:
        place = label.transaction_id, label.source
        if place not in said or _age(said[place]) < _age(label):
            said[place] = label
    sure = [label for label in said.values() if label.verdict is not Truth.UNSURE]
    sure.sort(key=lambda label: (label.known_at_ms, label.source is Source.CHARGEBACK))
    return {label.transaction_id: label.verdict for label in sure}


def _age(label: Label) -> tuple[int, str]:
    # Of two words in one millisecond the greater text stands, as in the store.
    return label.known_at_ms, label.verdict


def _latest(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    latest: dict[str, Verdict] = {}
    for verdict in verdicts:
        known = latest.get(verdict.transaction_id)
        if known is None or known.decided_at_ms < verdict.decided_at_ms:
            latest[verdict.transaction_id] = verdict
    return latest


def _add(day: Outcomes, verdict: Verdict, truth: Truth) -> None:
    is_alert = verdict.outcome is not Outcome.APPROVE
    if truth is Truth.GENUINE:
        day.false_positives += is_alert
    elif is_alert:
        day.caught += 1
        day.caught_eur_cents += verdict.amount_eur_cents
    else:
        day.missed += 1
        day.missed_eur_cents += verdict.amount_eur_cents
