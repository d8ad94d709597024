"""Evaluate alerts by labels: frauds caught and missed, false positives, by day and by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.label import Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome, Verdict


@dataclass(slots=True, kw_only=True)
class LabelledAlertCounts:
    """Counts of the labelled purchases of one UTC event day; those without a label do not count."""

    caught: int = 0
    """Frauds that were alerts."""
    missed: int = 0
    """Frauds that were approved."""
    false_positives: int = 0
    """Alerts on genuine purchases."""
    caught_eur_cents: int = 0
    missed_eur_cents: int = 0


def count_labelled_alerts(
    verdicts: Iterable[Verdict], labels: Iterable[Label]
) -> dict[str, LabelledAlertCounts]:
    """Compare verdicts with labels, by event day; days without a label are left out.

    Of several verdicts on a transaction the one decided last counts.
    """
    in_effect = current_labels(labels)
    days: dict[str, LabelledAlertCounts] = {}
    for verdict in _latest(verdicts).values():
        if (value := in_effect.get(verdict.transaction_id)) is not None:
            _add(
                days.setdefault(day_of(verdict.event_at_ms), LabelledAlertCounts()), verdict, value
            )
    return days


class RuleLabelCounts(NamedTuple):
    """Labels of the purchases that one rule hit."""

    frauds: int = 0
    labelled: int = 0


def label_counts_by_rule(
    verdicts: Iterable[Verdict], labels: Iterable[Label]
) -> dict[str, RuleLabelCounts]:
    """Count labelled purchases and frauds among those that a rule hit, by the rule's name."""
    in_effect = current_labels(labels)
    rules: dict[str, RuleLabelCounts] = {}
    for verdict in _latest(verdicts).values():
        if (value := in_effect.get(verdict.transaction_id)) is None:
            continue
        for rule in {reason.rule for reason in verdict.reasons}:
            frauds, labelled = rules.get(rule, RuleLabelCounts())
            rules[rule] = RuleLabelCounts(frauds + (value is LabelValue.FRAUD), labelled + 1)
    return rules


def decided_by_analysts(labels: Iterable[Label]) -> list[Label]:
    """Return all labels of the purchases that an analyst has decided.

    Chargebacks name frauds and hardly ever a genuine purchase: the share of false positives among
    those would always be zero. A later chargeback of a decided purchase still counts, so that an
    analyst's mistake is no false positive.
    """
    known = list(labels)
    decided = current_labels(label for label in known if label.source is Source.ANALYST)
    return [label for label in known if label.transaction_id in decided]


def current_labels(labels: Iterable[Label]) -> Mapping[str, LabelValue]:
    """Return the label in effect of each transaction; left out where no source is sure.

    The latest label of each source counts, so an analyst who is no longer sure withdraws their own
    label and not the chargeback. Of sources that are sure the latest counts, at the same instant
    the chargeback, then the greater text.
    """
    latest: dict[tuple[str, Source], Label] = {}
    for label in labels:
        key = label.transaction_id, label.source
        if key not in latest or _age(latest[key]) < _age(label):
            latest[key] = label
    sure = [label for label in latest.values() if label.verdict is not LabelValue.UNSURE]
    sure.sort(key=lambda one: (one.known_at_ms, one.source is Source.CHARGEBACK, one.verdict))
    return {label.transaction_id: label.verdict for label in sure}


def _age(label: Label) -> tuple[int, str]:
    # Of two labels in one millisecond the greater text counts, as in the store.
    return label.known_at_ms, label.verdict


def _latest(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    latest: dict[str, Verdict] = {}
    for verdict in verdicts:
        known = latest.get(verdict.transaction_id)
        if known is None or known.decided_at_ms < verdict.decided_at_ms:
            latest[verdict.transaction_id] = verdict
    return latest


def _add(day: LabelledAlertCounts, verdict: Verdict, value: LabelValue) -> None:
    is_alert = verdict.outcome is not Outcome.APPROVE
    if value is LabelValue.GENUINE:
        day.false_positives += is_alert
    elif is_alert:
        day.caught += 1
        day.caught_eur_cents += verdict.amount_eur_cents
    else:
        day.missed += 1
        day.missed_eur_cents += verdict.amount_eur_cents
