"""Join labelled purchases and verdicts by transaction id, and count the unmatched."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fraudwatch.application.evaluation.ports import LabelledPurchases, Verdicts
from fraudwatch.domain.arrays import Bools, Float64s, UInt64s
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.messages.verdict import Outcome

NO_RATE = "currency has no rate on its day, so ingest refuses it"
UNEXPLAINED = "not sent, put aside, or not scored yet"
_APPROVE = list(Outcome).index(Outcome.APPROVE)


class NothingToReport(Exception):
    """No labelled purchase has a verdict; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Purchases with a verdict, their verdicts as columns, and counts of the others."""

    scored: LabelledScores
    score: Float64s
    is_alert: Bools
    rules: dict[str, Bools]
    outcomes: dict[str, int]
    scorers: dict[str, int]
    transactions: int
    frauds: int
    missing: dict[str, int]
    """Labelled purchases without a verdict, by reason."""
    missing_frauds: int
    duplicates: int
    """Rows of these purchases beyond the first of their transaction id or verdict id."""
    elsewhere: int
    """Verdicts of the same source on purchases outside the labels or the interval."""


def join_verdicts(labelled: LabelledPurchases, verdicts: Verdicts) -> Joined:
    """Join each labelled purchase with its verdict.

    Raises:
        NothingToReport: no labelled purchase, or none of them has a verdict.
    """
    refused = sum(labelled.refused.values())
    if not len(labelled) + refused:
        raise NothingToReport(
            "the labels file holds no labelled purchase in this interval, so there is nothing to"
            " report; see --from and --until"
        )
    row = _row_of_each(labelled.transaction, verdicts)
    is_scored = row >= 0
    if not is_scored.any():
        raise NothingToReport(
            f"none of the {len(labelled) + refused} labelled purchases has a verdict, so there is"
            f" nothing to report; send them by ./fraudwatch replay first (source {labelled.source},"
            f" {len(verdicts.transaction)} verdicts of it are stored)"
        )
    chosen = row[is_scored]
    lost = Counter(labelled.refused)
    no_rate = int((~is_scored & np.isnan(labelled.eur_cents)).sum())
    lost.update({NO_RATE: no_rate, UNEXPLAINED: int((~is_scored).sum()) - no_rate})
    is_ours = np.isin(verdicts.transaction, labelled.transaction)
    return Joined(
        scored=LabelledScores(
            transaction=labelled.transaction[is_scored],
            card=labelled.card[is_scored],
            event_at_ms=labelled.event_at_ms[is_scored],
            eur_cents=labelled.eur_cents[is_scored],
            is_fraud=labelled.is_fraud[is_scored],
        ),
        score=verdicts.score[chosen],
        is_alert=verdicts.outcome[chosen] != _APPROVE,
        rules={
            name: (verdicts.rules[chosen] >> np.uint64(bit)) & np.uint64(1) == 1
            for bit, name in enumerate(verdicts.rule_names)
        },
        outcomes=_counts(verdicts.outcome[chosen], tuple(map(str, Outcome))),
        scorers={
            by: n for by, n in _counts(verdicts.scorer[chosen], verdicts.scorers).items() if n
        },
        transactions=len(labelled) + refused,
        frauds=int(labelled.is_fraud.sum()) + labelled.refused_frauds,
        missing={reason: count for reason, count in lost.items() if count},
        missing_frauds=int(labelled.is_fraud[~is_scored].sum()) + labelled.refused_frauds,
        duplicates=_repeats(verdicts.transaction[is_ours], verdicts.verdict[is_ours]),
        elsewhere=int((~is_ours).sum()),
    )


def _row_of_each(wanted: UInt64s, verdicts: Verdicts) -> npt.NDArray[np.int64]:
    """Return the row of each purchase's verdict, or -1; of copies the first one read."""
    has_score = np.flatnonzero(~np.isnan(verdicts.score))
    known, first = np.unique(verdicts.transaction[has_score], return_index=True)
    if not len(known):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, has_score[first[place]], -1)


def _repeats(transaction: UInt64s, verdict: UInt64s) -> int:
    is_first = np.zeros((2, len(transaction)), dtype=np.bool_)
    for first_of, keys in zip(is_first, (transaction, verdict), strict=True):
        first_of[np.unique(keys, return_index=True)[1]] = True
    return int((~is_first.all(axis=0)).sum())


def _counts(codes: npt.NDArray[np.signedinteger], names: tuple[str, ...]) -> dict[str, int]:
    counted = np.bincount(codes, minlength=len(names))
    return {name: int(count) for name, count in zip(names, counted, strict=True)}
