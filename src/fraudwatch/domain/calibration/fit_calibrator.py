"""Fit a calibrator: isotonic regression of the share of fraud on a classifier's log-odds.

Purchases are binned from the highest log-odds down, at least MIN_FRAUDS frauds a bin: a share
estimated from k frauds has a relative standard error of 1/sqrt(k), a third for ten, and single
frauds at the top cannot make a step of their own. What is left at the bottom is a bin of its own if
it would hold as many frauds at the share of the bin above: then so few are evidence too. Bins whose
shares do not rise are pooled.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.calibrator import (
    HIGHEST_KNOT,
    LOG_ODDS_LIMIT,
    LOWEST_KNOT,
    RESOLUTION,
    SMALLEST_SLOPE,
    BrokenCalibration,
    Calibrator,
    log_odds_of,
    probability_of,
)
from fraudwatch.domain.calibration.isotonic import rising_blocks

MIN_FRAUDS: Final = 10
# With many frauds, bins grow so that the curve keeps a readable number of knots.
_MAX_BINS: Final = 50
# Jeffreys' prior of a share, Beta(1/2, 1/2): no share is 0 or 1.
_PRIOR: Final = 0.5
_HALVINGS: Final = 100


class _Blocks(NamedTuple):
    """Sums of neighbouring purchases, by rising log-odds."""

    weight: Float64s
    squared_weight: Float64s
    fraud_weight: Float64s
    raw: Float64s  # weighted sum of the model's own probability

    def pooled(self, starts: Int64s) -> _Blocks:
        return _Blocks(*(np.add.reduceat(column, starts) for column in self))

    @property
    def purchases(self) -> Float64s:
        """Number of equally weighted purchases that are as much evidence (Kish 1965)."""
        return self.weight**2 / self.squared_weight

    @property
    def share(self) -> Float64s:
        """Share of fraud, the mean of its posterior distribution."""
        found = self.purchases
        return (self.fraud_weight / self.weight * found + _PRIOR) / (found + 2 * _PRIOR)


def fit_calibrator(log_odds: Float64s, is_fraud: Bools, weight: Float64s) -> Calibrator:
    """Fit a calibrator to labelled purchases.

    With fewer than two blocks of evidence the model's log-odds are shifted by a constant.

    Args:
        log_odds: Of the model, on purchases that it was not trained on.
        is_fraud: Whether the purchase was fraud.
        weight: Number of purchases that each row stands for, above 0.

    Raises:
        BrokenCalibration: there is no row, or a number is not finite or no weight.
    """
    _check_rows(log_odds, weight)
    order = np.argsort(log_odds, kind="stable")
    ranked, frauds, weights = log_odds[order], is_fraud[order], weight[order]
    rows = _Blocks(weights, weights**2, weights * frauds, weights * probability_of(ranked))
    starts = _bin_starts(ranked, frauds)
    bins = rows.pooled(starts)
    blocks = bins.pooled(rising_blocks(bins.share, bins.purchases))
    if len(blocks.weight) < 2:  # noqa: PLR2004  a line needs two
        return _shifted(ranked, weights, rows.pooled(starts[:1]))
    return _through(_knots(blocks), log_odds_of(blocks.share))


def _check_rows(log_odds: Float64s, weight: Float64s) -> None:
    if not len(log_odds):
        raise BrokenCalibration("there is no labelled purchase to calibrate the model on")
    if not np.isfinite(log_odds).all() or not (np.isfinite(weight) & (weight > 0)).all():
        raise BrokenCalibration("log-odds or weights to calibrate on are not finite or not above 0")


def _bin_starts(ranked: Float64s, is_fraud: Bools) -> Int64s:
    """Return the first index of each bin; equal log-odds are never divided."""
    groups = np.append(0, np.flatnonzero(np.diff(ranked)) + 1)[::-1]
    frauds_from = np.cumsum(is_fraud[::-1])[::-1][groups]  # at and above each group, from the top
    wanted = max(MIN_FRAUDS, -(-int(is_fraud.sum()) // _MAX_BINS))
    ends, frauds = [len(ranked)], [0]  # of the bins so far, from the top
    while (place := int(np.searchsorted(frauds_from, frauds[-1] + wanted))) < len(groups):
        ends.append(int(groups[place]))
        frauds.append(int(frauds_from[place]))
    rows_left = ends[-1]
    if rows_left and len(ends) > 1:
        rows_above, frauds_above = ends[-2] - ends[-1], frauds[-1] - frauds[-2]
        if rows_left * frauds_above < MIN_FRAUDS * rows_above:
            ends.pop()
    return np.array([*([0] if rows_left else []), *ends[:0:-1]], dtype=np.int64)


def _knots(blocks: _Blocks) -> Float64s:
    """Return the log-odds of each block's mean probability.

    The mean of the log-odds would overestimate: probabilities grow faster than log-odds.
    """
    limit = probability_of(np.array(LOG_ODDS_LIMIT))
    return log_odds_of(np.clip(blocks.raw / blocks.weight, 1.0 - limit, limit))


def _through(knots: Float64s, values: Float64s) -> Calibrator:
    """Join knots by lines of at least the smallest slope; one that nearly coincides is left out."""
    apart = [0]
    for place in range(1, len(knots)):
        if knots[place] - knots[apart[-1]] >= RESOLUTION:
            apart.append(place)
    knots, values = knots[apart], np.clip(values[apart], LOWEST_KNOT, HIGHEST_KNOT)
    smallest = SMALLEST_SLOPE * (knots - knots[0])
    return Calibrator(knots, np.maximum.accumulate(values - smallest) + smallest)


def _shifted(log_odds: Float64s, weight: Float64s, rows: _Blocks) -> Calibrator:
    """Shift log-odds so that the mean probability is the share of fraud."""
    share = float(rows.share[0])
    low, high = -2 * LOG_ODDS_LIMIT, 2 * LOG_ODDS_LIMIT
    for _ in range(_HALVINGS):
        shift = (low + high) / 2
        is_below = np.average(probability_of(log_odds + shift), weights=weight) < share
        low, high = (shift, high) if is_below else (low, shift)
    knot = np.clip(np.average(log_odds, weights=weight), -LOG_ODDS_LIMIT, LOG_ODDS_LIMIT)
    return Calibrator(np.array([knot]), np.clip([knot + low], LOWEST_KNOT, HIGHEST_KNOT))
