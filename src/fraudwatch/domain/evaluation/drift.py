"""Measure the drift of a day against its reference, and decide whether a training is needed.

Features and scores are measured by the population stability index of actual shares a against
expected shares e, bin by bin::

    PSI = sum((a - e) * ln(a / e))

(N. Siddiqi, Credit Risk Scorecards, Wiley 2006, on monitoring: below 0.1 nothing has moved, above
0.25 much has. It is Jeffreys' symmetric form of the divergence of Kullback and Leibler, 1951.)
Without drift it is about (bins - 1) (1/n + 1/m) by chance alone (B. Yurdakul, J. Naranjo,
J. Risk Model Validation 14(4), 2020), so that a thousand rows on either side stay far below the
bound.

Bins are the deciles of the reference; unknown values are a bin of their own, and so is a value that
a tenth of the rows share. Ratios are compared by the two-proportion z test.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s

BINS: Final = 10
# All bounds of a run.
PSI_BOUND: Final = 0.25
MIN_ROWS: Final = 1_000
MIN_DECIDED: Final = 30
ALERT_RATE_FACTOR: Final = 2.0
PERFORMANCE_DROP: Final = 0.1
SIGNIFICANT_Z: Final = 3.0
# Avoids division by an empty bin; half a row has no effect on a full one.
_HALF_A_ROW: Final = 0.5
# Features that move by themselves are no evidence of drift.
EXPECTED_TO_MOVE: Final = {
    "day_of_week": "one day is never a week",
    "customer_account_age_days": "grows with every day",
}


class DriftStatus(enum.StrEnum):
    """Result of a measure; the values are those of the table's column."""

    QUIET = "quiet"
    PAST_BOUND = "past_bound"
    TOO_FEW_ROWS = "too_few_rows"
    NOT_JUDGED = "not_judged"


class DriftMetric(enum.StrEnum):
    """Measured quantity."""

    FEATURE = "feature"
    SCORE = "score"
    ALERT_RATE = "alert_rate"
    PRECISION = "precision"
    RECALL = "recall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of a day beside its reference; None where it cannot be computed.

    Fields are named after the columns of the table of drift.
    """

    what: DriftMetric
    name: str
    value: float | None
    reference_value: float | None = None
    rows: int
    reference_rows: int
    judgement: DriftStatus
    said: str


class Share(NamedTuple):
    """Number of hits among a number of rows."""

    hits: int
    rows: int

    @property
    def ratio(self) -> float | None:
        """Return hits by rows; None where there are no rows."""
        return self.hits / self.rows if self.rows else None


def stability_index(reference: Float64s, actual: Float64s) -> float:
    """Return the PSI of the actual values against the reference; NaN is unknown."""
    edges = _edges(reference)
    expected, found = (_shares(values, edges) for values in (reference, actual))
    return float(((found - expected) * np.log(found / expected)).sum())


def _edges(reference: Float64s) -> Float64s:
    """Return the upper edges of the bins; there is one more bin above the last."""
    known = reference[~np.isnan(reference)]
    if not len(known):
        return np.empty(0)
    inner = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
    values, times = np.unique(known, return_counts=True)
    if len(values) <= BINS:
        return np.asarray(values, dtype=np.float64)
    heavy = values[times >= len(known) / BINS]
    return np.unique(np.concatenate([inner, heavy, np.nextafter(heavy, -np.inf)]))


def _shares(values: Float64s, edges: Float64s) -> Float64s:
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    with_unknown = np.append(counts, len(values) - len(known)) + _HALF_A_ROW
    shares: Float64s = with_unknown / with_unknown.sum()
    return shares


def index_measure(what: DriftMetric, name: str, reference: Float64s, actual: Float64s) -> Measure:
    """Measure the PSI of one feature or score against its bound."""
    rows, reference_rows = len(actual), len(reference)
    value: float | None = None
    text = f"{name}: {rows} rows against {reference_rows}; minimum {MIN_ROWS} of each"
    judgement = DriftStatus.TOO_FEW_ROWS
    if min(rows, reference_rows) >= MIN_ROWS:
        value = stability_index(reference, actual)
        text, judgement = f"{name}: PSI {value:.3f}, bound {PSI_BOUND}", _status_of(value)
        if why := EXPECTED_TO_MOVE.get(name):
            text, judgement = (
                f"{name}: PSI {value:.3f}, not compared: {why}",
                DriftStatus.NOT_JUDGED,
            )
    return Measure(
        what=what, name=name, value=value, rows=rows, reference_rows=reference_rows,
        judgement=judgement, said=text,
    )  # fmt: skip


def _status_of(value: float) -> DriftStatus:
    return DriftStatus.PAST_BOUND if value > PSI_BOUND else DriftStatus.QUIET


def alert_rate_measure(reference: Share, actual: Share) -> Measure:
    """Measure whether the alert rate doubled or halved, and not by chance."""
    few = min(reference.rows, actual.rows) < MIN_ROWS
    now, expected = actual.ratio or 0.0, reference.ratio or 0.0
    is_past = now > ALERT_RATE_FACTOR * expected or expected > ALERT_RATE_FACTOR * now
    bound = f"by a factor of {ALERT_RATE_FACTOR:g}"
    return _ratio_measure(
        DriftMetric.ALERT_RATE, (reference, actual), few=few, is_past=is_past, bound=bound
    )


def performance_measure(what: DriftMetric, reference: Share, actual: Share) -> Measure:
    """Measure whether precision or recall dropped, and not by chance."""
    few = min(reference.rows, actual.rows) < MIN_DECIDED
    is_past = (reference.ratio or 0.0) - (actual.ratio or 0.0) > PERFORMANCE_DROP
    bound = f"lower by {PERFORMANCE_DROP:g}"
    return _ratio_measure(what, (reference, actual), few=few, is_past=is_past, bound=bound)


def _ratio_measure(
    what: DriftMetric, shares: tuple[Share, Share], *, few: bool, is_past: bool, bound: str
) -> Measure:
    reference, actual = shares
    judgement = DriftStatus.QUIET
    if few:
        judgement = DriftStatus.TOO_FEW_ROWS
    elif is_past and z_of(reference, actual) > SIGNIFICANT_Z:
        judgement = DriftStatus.PAST_BOUND
    ratios = f"{_text(actual)} against {_text(reference)}"
    return Measure(
        what=what, name=str(what), value=actual.ratio, reference_value=reference.ratio,
        rows=actual.rows, reference_rows=reference.rows, judgement=judgement,
        said=f"{what}: {ratios}, bound {bound}" + (", too few rows to compare" if few else ""),
    )  # fmt: skip


def z_of(one: Share, other: Share) -> float:
    """Return the distance of two ratios in standard errors, for one common (pooled) ratio."""
    rows = one.rows * other.rows
    pooled = (one.hits + other.hits) / (one.rows + other.rows)
    error = math.sqrt(pooled * (1 - pooled) * (one.rows + other.rows) / rows)
    return abs((one.ratio or 0.0) - (other.ratio or 0.0)) / error if error else 0.0


def _text(share: Share) -> str:
    return f"{share.ratio:.3f} of {share.rows}" if share.ratio is not None else "no rows"


def needs_training(measures: list[Measure]) -> bool:
    """Check whether any measure is past its bound."""
    return any(one.judgement is DriftStatus.PAST_BOUND for one in measures)


def sentence_of(day: str, measures: list[Measure]) -> str:
    """Summarise the day's measures in one sentence for the log, the table and the mail."""
    past = [one.said for one in measures if one.judgement is DriftStatus.PAST_BOUND]
    few = sum(one.judgement is DriftStatus.TOO_FEW_ROWS for one in measures)
    beside = f"; {few} of {len(measures)} measures had too few rows" if few else ""
    if not past:
        return f"{day}: nothing is past its bound{beside}"
    return f"{day}: past the bound: {'; '.join(past)}{beside}; a new model is requested"
