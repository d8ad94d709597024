"""Figures from labels: value caught and false positives; pure.

Value caught uses all labels. The share of false positives uses analysts' decisions only:
chargebacks report frauds, so the share would be zero where analysts decide nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from fraudwatch.domain.evaluation.labelled_alerts import LabelledAlertCounts, RuleLabelCounts
from streamlit_app.patterns.figures import PanelFigure
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import (
    NO_DATA_BEFORE,
    UNKNOWN,
    Change,
    HitRate,
    change_of_count,
    change_of_ratio,
    euros,
    percent,
)

NO_LABELS: Final = "no labels yet"
NOT_DECIDED: Final = "no decisions yet"
_NO_LABELS_BEFORE: Final = "no labels before"
_NOT_DECIDED_BEFORE: Final = "no decisions before"


@dataclass(frozen=True, slots=True)
class ByDay:
    """Outcomes of labelled purchases of a period and of the one before, by event day."""

    current: Mapping[str, LabelledAlertCounts] = field(default_factory=dict)
    before: Mapping[str, LabelledAlertCounts] = field(default_factory=dict)
    """Up to the same time in the period before."""

    @property
    def now(self) -> LabelledAlertCounts:
        """Total of the period."""
        return _total(self.current.values())

    @property
    def previous(self) -> LabelledAlertCounts:
        """Total of the period before."""
        return _total(self.before.values())


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """Labelled outcomes of two periods, and the number of labels."""

    all: ByDay
    """From all labels."""
    decided: ByDay
    """From analysts' decisions only."""
    rules: Mapping[str, RuleLabelCounts]
    """Labelled purchases of the period by rule that hit."""
    labels_known: int
    labels_read: int


def false_positives(decided: LabelledAlertCounts) -> HitRate:
    """Share of genuine purchases among the alerts that analysts have decided."""
    return HitRate(decided.false_positives, decided.false_positives + decided.caught)


def caught(known: LabelledAlertCounts) -> HitRate:
    """Share of alerts among the known frauds."""
    return HitRate(known.caught, known.caught + known.missed)


def label_figures(
    known: LabelSummary, period: Period, *, is_before_known: bool
) -> list[PanelFigure]:
    """Build the figures of value caught and false positives, with their label counts."""
    return [
        _value_figure(known.all, period, is_before_known=is_before_known),
        _false_positive_figure(known.decided, period, is_before_known=is_before_known),
    ]


def sentence(known: LabelSummary) -> str:
    """Summarise the labels behind the figures, and their limits."""
    wrong, frauds, now = false_positives(known.decided.now), caught(known.all.now), known.all.now
    notes = []
    if frauds.of:
        worth = euros(now.caught_eur_cents + now.missed_eur_cents)
        notes.append(
            f"By all labels, {frauds.hits:,} of {frauds.of:,} known frauds were alerts, worth "
            f"{euros(now.caught_eur_cents)} of {worth} EUR."
        )
    if wrong.of:
        low, high = (percent(end) for end in wrong.interval)
        notes.append(
            f"Of {wrong.of:,} alerts decided by analysts, {percent(wrong.ratio)} were genuine "
            f"(95 % interval {low} to {high})."
        )
    elif known.all.current:
        notes.append(
            "No analyst has decided an alert of these days yet; chargebacks alone cannot show "
            "false positives."
        )
    if not known.all.current:
        notes.append("No labels yet on purchases of these days.")
    else:
        notes.append("Fraud is often reported weeks later, so the newest days will still change.")
    if known.labels_read < known.labels_known:
        notes.append(
            f"Only the newest {known.labels_read:,} of {known.labels_known:,} labels were read."
        )
    return " ".join(notes)


def _value_figure(known: ByDay, period: Period, *, is_before_known: bool) -> PanelFigure:
    now, previous, before_words = known.now, known.previous, period.before_words.capitalize()
    frauds, were_frauds = caught(now), caught(previous)
    if not frauds.of:
        change, was = Change(NO_LABELS), ""
    elif not is_before_known:
        change, was = Change(NO_DATA_BEFORE), ""
    elif not were_frauds.of:
        change, was = Change(_NO_LABELS_BEFORE), ""
    else:
        change = change_of_count(
            now.caught_eur_cents, previous.caught_eur_cents, is_before_known=True
        )
        was = f" {before_words}: {euros(previous.caught_eur_cents)} EUR, {were_frauds.words}."
    return PanelFigure(
        "Value caught, EUR",
        euros(now.caught_eur_cents) if frauds.of else UNKNOWN,
        change,
        f"Amount of fraud with an alert: {frauds.words} purchases labelled fraud.{was}",
    )


def _false_positive_figure(decided: ByDay, period: Period, *, is_before_known: bool) -> PanelFigure:
    wrong, was_wrong = false_positives(decided.now), false_positives(decided.previous)
    meaning = f"Genuine purchases among alerts decided by analysts: {wrong.words}."
    if not wrong.of:
        change = Change(NOT_DECIDED)
    elif not is_before_known:
        change = Change(NO_DATA_BEFORE)
    else:
        change = change_of_ratio(wrong.ratio, was_wrong.ratio, unknown=_NOT_DECIDED_BEFORE)
        meaning += f" {period.before_words.capitalize()}: {was_wrong.words}."
    return PanelFigure("False positives", percent(wrong.ratio), change, meaning)


def _total(days: Collection[LabelledAlertCounts]) -> LabelledAlertCounts:
    names = [item.name for item in fields(LabelledAlertCounts)]
    return LabelledAlertCounts(**{name: sum(getattr(day, name) for day in days) for name in names})
