"""What analysts find who can look at so many a day and no more."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.evaluation.labelled_scores import (
    Flags,
    Floats,
    Integers,
    Judged,
    Keys,
    ratio,
)


class CardPrecision(NamedTuple):
    """Share of the day's budget that finds a compromised card: each day, and the mean over days."""

    mean: float
    days: Integers
    by_day: Floats


def card_precision(judged: Judged, score: Floats, cards_a_day: int) -> CardPrecision:
    """Each day rank cards by their highest score, take so many, count those with a fraud that day.

    A card that was found once is blocked: it is left out of every later day. The share is of the
    budget, even on a day with fewer cards. As in the Fraud Detection Handbook, ch. 4.
    """
    ranked = _ranked_cards(judged, score)
    days, starts = np.unique(ranked.day, return_index=True)
    found = np.empty(0, dtype=np.uint64)
    by_day = np.zeros(len(days))
    for i, (start, end) in enumerate(zip(starts, [*starts[1:], len(ranked.day)], strict=True)):
        cards, is_fraud = ranked.card[start:end], ranked.is_fraud[start:end]
        is_open = ~np.isin(cards, found)
        looked_at = cards[is_open][:cards_a_day]
        new = looked_at[is_fraud[is_open][:cards_a_day]]
        by_day[i] = len(new) / cards_a_day
        found = np.append(found, new)
    return CardPrecision(float(by_day.mean()) if len(days) else float("nan"), days, by_day)


def perfect_card_precision(judged: Judged, cards_a_day: int) -> CardPrecision:
    """The same for a score that knows the truth: more than this, nobody can reach."""
    return card_precision(judged, judged.is_fraud.astype(np.float64), cards_a_day)


def value_in_budget(judged: Judged, score: Floats, purchases_a_day: int) -> float:
    """Share of the fraud money that lies in each day's so many highest-scored purchases."""
    day = judged.day
    order = np.lexsort((judged.transaction, -score, day))
    _, starts, lengths = np.unique(day[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(starts, lengths)
    is_looked_at = np.zeros(len(order), dtype=np.bool_)
    is_looked_at[order[rank < purchases_a_day]] = True
    return ratio(judged.fraud_eur_cents(is_looked_at), judged.fraud_eur_cents())


class _RankedCards(NamedTuple):
    """One row for each card and day on which it bought: days in order, highest score first."""

    day: Integers
    card: Keys
    is_fraud: Flags


def _ranked_cards(judged: Judged, score: Floats) -> _RankedCards:
    if not len(score):
        return _RankedCards(judged.day, judged.card, judged.is_fraud)
    day = judged.day
    order = np.lexsort((judged.card, day))
    day, card = day[order], judged.card[order]
    is_first = np.append(True, (day[1:] != day[:-1]) | (card[1:] != card[:-1]))
    starts = np.flatnonzero(is_first)
    highest = np.maximum.reduceat(score[order], starts)
    has_fraud = np.logical_or.reduceat(judged.is_fraud[order], starts)
    ranked = np.lexsort((card[starts], -highest, day[starts]))
    return _RankedCards(day[starts][ranked], card[starts][ranked], has_fraud[ranked])
