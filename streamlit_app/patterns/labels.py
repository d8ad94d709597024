"""What labels say about the alerts: figures and trends; pure.

Value caught goes by all labels. The share of false positives goes by analysts' decisions alone:
chargebacks name frauds, so that share would be zero wherever nobody decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from fraudwatch.domain.labelled import Outcomes, RuleTruth
from streamlit_app.patterns.figures import Figure
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import (
    NO_DATA_BEFORE,
    UNKNOWN,
    Change,
    Rate,
    change_of_count,
    change_of_ratio,
    euros,
    percent,
)

NO_LABELS: Final = "no labels yet"
NOT_DECIDED: Final = "no analyst's decision yet"
_NO_LABELS_BEFORE: Final = "no labels before"
_NOT_DECIDED_BEFORE: Final = "none decided before"


@dataclass(frozen=True, slots=True)
class ByDay:
    """What became of the purchases of a period and of the one before, by day of the event."""

    current: Mapping[str, Outcomes] = field(default_factory=dict)
    before: Mapping[str, Outcomes] = field(default_factory=dict)
    """As far into the period before as now is into this one."""

    @property
    def now(self) -> Outcomes:
        """All of the period."""
        return _total(self.current.values())

    @property
    def then(self) -> Outcomes:
        """All of the period before."""
        return _total(self.before.values())


@dataclass(frozen=True, slots=True)
class Labelled:
    """What is known of two periods, and by how many labels."""

    all: ByDay
    """By whoever knows of it."""
    decided: ByDay
    """The purchases alone that an analyst has decided."""
    rules: Mapping[str, RuleTruth]
    """The purchases of the period that each rule hit."""
    labels_known: int
    labels_read: int


def false_positives(decided: Outcomes) -> Rate:
    """Genuine purchases among the alerts that analysts have decided."""
    return Rate(decided.false_positives, decided.false_positives + decided.caught)


def caught(known: Outcomes) -> Rate:
    """Alerts among the frauds somebody knows of."""
    return Rate(known.caught, known.caught + known.missed)


def label_figures(known: Labelled, period: Period, *, is_before_known: bool) -> list[Figure]:
    """Value caught and the share of false alarms, with how many labels they rest on."""
    return [
        _value_figure(known.all, period, is_before_known=is_before_known),
        _false_positive_figure(known.decided, period, is_before_known=is_before_known),
    ]


def sentence(known: Labelled) -> str:
    """What the figures rest on, and what they leave out."""
    wrong, frauds, now = false_positives(known.decided.now), caught(known.all.now), known.all.now
    told = []
    if frauds.of:
        worth = euros(now.caught_eur_cents + now.missed_eur_cents)
        told.append(
            f"By all labels, {frauds.hits:,} of {frauds.of:,} frauds known were alerts, worth "
            f"{euros(now.caught_eur_cents)} of {worth} EUR."
        )
    if wrong.of:
        low, high = (percent(end) for end in wrong.interval)
        told.append(
            f"Of {wrong.of:,} alerts decided by analysts, {percent(wrong.ratio)} were genuine "
            f"(95 % interval {low} to {high})."
        )
    elif known.all.current:
        told.append(
            "No analyst has decided an alert of these days yet, and chargebacks alone do not tell "
            "false positives."
        )
    if not known.all.current:
        told.append("No labels yet: nobody has said what these days' purchases turned out to be.")
    else:
        told.append("Fraud is often reported weeks later, so the newest days will still change.")
    if known.labels_read < known.labels_known:
        told.append(
            f"Only the newest {known.labels_read:,} of {known.labels_known:,} labels were read."
        )
    return " ".join(told)


def _value_figure(known: ByDay, period: Period, *, is_before_known: bool) -> Figure:
    now, then, before_words = known.now, known.then, period.before_words.capitalize()
    frauds, were_frauds = caught(now), caught(then)
    if not frauds.of:
        change, was = Change(NO_LABELS), ""
    elif not is_before_known:
        change, was = Change(NO_DATA_BEFORE), ""
    elif not were_frauds.of:
        change, was = Change(_NO_LABELS_BEFORE), ""
    else:
        change = change_of_count(now.caught_eur_cents, then.caught_eur_cents, is_before_known=True)
        was = f" {before_words}: {euros(then.caught_eur_cents)} EUR, {were_frauds.words}."
    return Figure(
        "Value caught, EUR",
        euros(now.caught_eur_cents) if frauds.of else UNKNOWN,
        change,
        f"Fraud that an alert met, by all labels: {frauds.words} purchases labelled fraud.{was}",
    )


def _false_positive_figure(decided: ByDay, period: Period, *, is_before_known: bool) -> Figure:
    wrong, was_wrong = false_positives(decided.now), false_positives(decided.then)
    meaning = f"Genuine among the alerts that analysts decided: {wrong.words}."
    if not wrong.of:
        change = Change(NOT_DECIDED)
    elif not is_before_known:
        change = Change(NO_DATA_BEFORE)
    else:
        change = change_of_ratio(wrong.ratio, was_wrong.ratio, unknown=_NOT_DECIDED_BEFORE)
        meaning += f" {period.before_words.capitalize()}: {was_wrong.words}."
    return Figure("False positives", percent(wrong.ratio), change, meaning)


def _total(days: Collection[Outcomes]) -> Outcomes:
    names = [item.name for item in fields(Outcomes)]
    return Outcomes(**{name: sum(getattr(day, name) for day in days) for name in names})
