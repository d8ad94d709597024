"""Measure detection within the analysts' daily budget: card precision@k, fraud amount."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores, ratio


class CardPrecision(NamedTuple):
    """Share of the day's budget that is compromised cards: each day, and the mean over days."""

    mean: float
    days: Int64s
    by_day: Float64s


def card_precision(labelled: LabelledScores, score: Float64s, cards_a_day: int) -> CardPrecision:
    """Rank each day's cards by highest score and count compromised ones within the budget.

    A card is compromised on a day with a fraud. Once detected it is blocked: it is left out of
    every later day. The share is of the budget, even on a day with fewer cards. As in the Fraud
    Detection Handbook, ch. 4.
    """
    ranked = _ranked_cards(labelled, score)
    days, starts = np.unique(ranked.day, return_index=True)
    detected = np.empty(0, dtype=np.uint64)
    by_day = np.zeros(len(days))
    for i, (start, end) in enumerate(zip(starts, [*starts[1:], len(ranked.day)], strict=True)):
        cards, is_fraud = ranked.card[start:end], ranked.is_fraud[start:end]
        is_open = ~np.isin(cards, detected)
        reviewed = cards[is_open][:cards_a_day]
        new = reviewed[is_fraud[is_open][:cards_a_day]]
        by_day[i] = len(new) / cards_a_day
        detected = np.append(detected, new)
    return CardPrecision(float(by_day.mean()) if len(days) else float("nan"), days, by_day)


def perfect_card_precision(labelled: LabelledScores, cards_a_day: int) -> CardPrecision:
    """Return the card precision of a perfect score: the upper limit for any score."""
    return card_precision(labelled, labelled.is_fraud.astype(np.float64), cards_a_day)


def value_in_budget(labelled: LabelledScores, score: Float64s, purchases_a_day: int) -> float:
    """Return the share of the fraud amount in each day's highest-scored purchases."""
    day = labelled.day
    order = np.lexsort((labelled.transaction, -score, day))
    _, starts, lengths = np.unique(day[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(starts, lengths)
    is_reviewed = np.zeros(len(order), dtype=np.bool_)
    is_reviewed[order[rank < purchases_a_day]] = True
    return ratio(labelled.fraud_eur_cents(is_reviewed), labelled.fraud_eur_cents())


class _RankedCards(NamedTuple):
    """One row for each card and day with purchases: days in order, highest score first."""

    day: Int64s
    card: UInt64s
    is_fraud: Bools


def _ranked_cards(labelled: LabelledScores, score: Float64s) -> _RankedCards:
    if not len(score):
        return _RankedCards(labelled.day, labelled.card, labelled.is_fraud)
    day = labelled.day
    order = np.lexsort((labelled.card, day))
    day, card = day[order], labelled.card[order]
    is_first = np.append(True, (day[1:] != day[:-1]) | (card[1:] != card[:-1]))
    starts = np.flatnonzero(is_first)
    highest = np.maximum.reduceat(score[order], starts)
    has_fraud = np.logical_or.reduceat(labelled.is_fraud[order], starts)
    ranked = np.lexsort((card[starts], -highest, day[starts]))
    return _RankedCards(day[starts][ranked], card[starts][ranked], has_fraud[ranked])
