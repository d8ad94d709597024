"""Summarise a comparison: outcomes, alerts a day, amounts, reasons; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fraudwatch.application.shadow.comparing import CandidateOutcome, ShadowProgress
from fraudwatch.domain.evaluation.labelled_alerts import (
    LabelledAlertCounts,
    count_labelled_alerts,
)
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict
from fraudwatch.domain.shadow import Pair, ShadowCounts, ShadowDimension, ShadowKey, summed

OutcomePair = tuple[Outcome, Outcome]


@dataclass(slots=True)
class Side:
    """Numbers of the live verdicts, or of the candidate's."""

    alerts: int = 0
    declined: int = 0
    alerts_amount_eur_cents: int = 0
    declined_amount_eur_cents: int = 0

    def add(self, outcome: Outcome, counts: ShadowCounts) -> None:
        """Add purchases of one outcome."""
        if outcome is Outcome.APPROVE:
            return
        self.alerts += counts.purchases
        self.alerts_amount_eur_cents += counts.amount_eur_cents
        if outcome is Outcome.DECLINE:
            self.declined += counts.purchases
            self.declined_amount_eur_cents += counts.amount_eur_cents


@dataclass(slots=True)
class DayAlerts:
    """Compared purchases of one day, and the alerts of both sides."""

    purchases: int = 0
    live: int = 0
    candidate: int = 0


class ReasonDifference(NamedTuple):
    """Purchases of another outcome for which one side alone gives this reason."""

    rule: str
    live_only: int
    candidate_only: int


@dataclass(slots=True, kw_only=True)
class ShadowSummary:
    """All numbers of a comparison that need no label."""

    compared: ShadowCounts
    different: ShadowCounts
    live: Side = field(default_factory=Side)
    candidate: Side = field(default_factory=Side)
    days: dict[str, DayAlerts] = field(default_factory=dict)
    outcomes: dict[OutcomePair, ShadowCounts] = field(default_factory=dict)
    risks: dict[tuple[Risk, Risk], ShadowCounts] = field(default_factory=dict)
    reasons: Sequence[ReasonDifference] = ()
    live_versions: Mapping[str, int] = field(default_factory=dict)
    candidate_versions: Mapping[str, int] = field(default_factory=dict)
    not_compared: Mapping[str, int] = field(default_factory=dict)

    @property
    def different_ratio(self) -> float | None:
        """Share of purchases with another outcome; None if nothing is compared."""
        compared = self.compared.purchases
        return self.different.purchases / compared if compared else None


def summarise(progress: ShadowProgress) -> ShadowSummary:
    """Summarise the counts of a comparison over days and partitions."""
    rows = summed(progress.counted)
    summary = ShadowSummary(compared=ShadowCounts(), different=ShadowCounts())
    for key, counts in rows.items():
        if key.dimension is ShadowDimension.PAIR:
            _add_pair(summary, key.day, Pair.parse(key.value), counts)
    summary.days = dict(sorted(summary.days.items()))
    live_only = _by_value(rows, ShadowDimension.LIVE_REASON)
    candidate_only = _by_value(rows, ShadowDimension.CANDIDATE_REASON)
    summary.reasons = sorted(
        (
            ReasonDifference(rule, live_only.get(rule, 0), candidate_only.get(rule, 0))
            for rule in {*live_only, *candidate_only}
        ),
        key=lambda one: (-one.live_only - one.candidate_only, one.rule),
    )
    summary.live_versions = _by_value(rows, ShadowDimension.LIVE_VERSIONS)
    summary.candidate_versions = _by_value(rows, ShadowDimension.CANDIDATE_VERSIONS)
    summary.not_compared = _by_value(rows, ShadowDimension.NOT_COMPARED)
    return summary


def _add_pair(summary: ShadowSummary, day: str, pair: Pair, counts: ShadowCounts) -> None:
    outcomes = pair.live_outcome, pair.candidate_outcome
    risks = pair.live_risk, pair.candidate_risk
    summary.compared = summary.compared.plus(counts)
    if pair.live_outcome is not pair.candidate_outcome:
        summary.different = summary.different.plus(counts)
    summary.outcomes[outcomes] = summary.outcomes.get(outcomes, ShadowCounts()).plus(counts)
    summary.risks[risks] = summary.risks.get(risks, ShadowCounts()).plus(counts)
    summary.live.add(pair.live_outcome, counts)
    summary.candidate.add(pair.candidate_outcome, counts)
    of_day = summary.days.setdefault(day, DayAlerts())
    of_day.purchases += counts.purchases
    of_day.live += counts.purchases * (pair.live_outcome is not Outcome.APPROVE)
    of_day.candidate += counts.purchases * (pair.candidate_outcome is not Outcome.APPROVE)


def _by_value(rows: Mapping[ShadowKey, ShadowCounts], dimension: ShadowDimension) -> dict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for key, counts in rows.items():
        if key.dimension is dimension:
            found[key.value] += counts.purchases
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


class LabelledSides(NamedTuple):
    """Labelled purchases of a comparison by both sides: the same purchases and labels."""

    live: LabelledAlertCounts
    candidate: LabelledAlertCounts


def count_labelled(
    progress: ShadowProgress,
    verdicts: Iterable[Verdict],
    labels: Sequence[Label],
    outcomes: Mapping[str, CandidateOutcome | None],
) -> LabelledSides:
    """Compare both sides with labels, on the labelled purchases that were compared.

    Args:
        progress: the comparison's counts, which say what was compared.
        verdicts: live verdicts of labelled purchases.
        labels: the labels.
        outcomes: see :meth:`ShadowReader.outcomes`; a purchase that is missing there is approved by
            both.
    """
    live = [
        one
        for one in verdicts
        if progress.covers(one) and outcomes.get(one.transaction_id, _APPROVED) is not None
    ]
    candidate = [_as_candidate(one, outcomes.get(one.transaction_id)) for one in live]
    return LabelledSides(
        _total(count_labelled_alerts(live, labels)),
        _total(count_labelled_alerts(candidate, labels)),
    )


_APPROVED = CandidateOutcome(Outcome.APPROVE, Risk.LOW)


def _as_candidate(live: Verdict, outcome: CandidateOutcome | None) -> Verdict:
    known = outcome or _APPROVED
    return replace(live, outcome=known.outcome, risk=known.risk)


def _total(days: Mapping[str, LabelledAlertCounts]) -> LabelledAlertCounts:
    total = LabelledAlertCounts()
    for day in days.values():
        total.caught += day.caught
        total.missed += day.missed
        total.false_positives += day.false_positives
        total.caught_eur_cents += day.caught_eur_cents
        total.missed_eur_cents += day.missed_eur_cents
    return total


def as_document(progress: ShadowProgress, summary: ShadowSummary) -> dict[str, Any]:
    """Build the JSON document of a comparison."""
    one = progress.comparison
    return {
        "comparison": one.comparison_id,
        "started_at_ms": one.started_at_ms,
        "from_at_ms": one.from_at_ms,
        "started_by": one.started_by,
        "policy_version": one.policy_version,
        "model_version": one.model_version,
        "compared": summary.compared.purchases,
        "different": summary.different.purchases,
        "not_compared": dict(summary.not_compared),
        "alerts": {"live": summary.live.alerts, "candidate": summary.candidate.alerts},
        "declined": {"live": summary.live.declined, "candidate": summary.candidate.declined},
        "days": {
            day: {"purchases": n.purchases, "live": n.live, "candidate": n.candidate}
            for day, n in summary.days.items()
        },
        "outcomes": [
            {"live": str(live), "candidate": str(candidate), **counts._asdict()}
            for (live, candidate), counts in sorted(summary.outcomes.items())
        ],
        "reasons": [reason._asdict() for reason in summary.reasons],
        "live_versions": dict(summary.live_versions),
        "candidate_versions": dict(summary.candidate_versions),
    }
