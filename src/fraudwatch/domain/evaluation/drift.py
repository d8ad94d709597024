"""How far a day lies from what is usual, and from where on somebody is asked to train again.

Features and scores are measured by the population stability index of actual shares a against
expected shares e, bin by bin::

    PSI = sum((a - e) * ln(a / e))

(N. Siddiqi, Credit Risk Scorecards, Wiley 2006, on monitoring: below 0.1 nothing has moved, above
0.25 much has. It is Jeffreys' symmetric form of the divergence of Kullback and Leibler, 1951.)
Where nothing has moved it is about (bins - 1) (1/n + 1/m) by chance alone (B. Yurdakul, J. Naranjo,
J. Risk Model Validation 14(4), 2020), so that a thousand rows on either side stay far below the
bound.

Bins are the deciles of the reference; what is unknown is a bin of its own, and so is a value that a
tenth of the rows share. Ratios are held to each other by the two-proportion z test.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Float64s = npt.NDArray[np.float64]

BINS: Final = 10
# Everything that a run is judged by stands here.
PSI_BOUND: Final = 0.25
LEAST_ROWS: Final = 1_000
LEAST_DECIDED: Final = 30
ALERT_RATE_FACTOR: Final = 2.0
PERFORMANCE_DROP: Final = 0.1
SURE_Z: Final = 3.0
# Of an empty bin nothing would be left to divide by; half a row moves no full one.
_HALF_A_ROW: Final = 0.5
# What moves by itself says nothing about the shop.
MOVES_BY_ITSELF: Final = {
    "day_of_week": "one day is never a week",
    "customer_account_age_days": "grows with every day",
}


class Judgement(enum.StrEnum):
    """What a measure says."""

    QUIET = "quiet"
    PAST_BOUND = "past_bound"
    TOO_FEW_ROWS = "too_few_rows"
    NOT_JUDGED = "not_judged"


class What(enum.StrEnum):
    """What is measured."""

    FEATURE = "feature"
    SCORE = "score"
    ALERT_RATE = "alert_rate"
    PRECISION = "precision"
    RECALL = "recall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of a day beside the usual one; None where it cannot be told."""

    what: What
    name: str
    value: float | None
    reference_value: float | None = None
    rows: int
    reference_rows: int
    judgement: Judgement
    said: str


class Share(NamedTuple):
    """How many of how many."""

    hits: int
    rows: int

    @property
    def ratio(self) -> float | None:
        """None where there are no rows."""
        return self.hits / self.rows if self.rows else None


def stability_index(reference: Float64s, actual: Float64s) -> float:
    """PSI of the actual values against the reference; NaN is unknown."""
    edges = _edges(reference)
    expected, found = (_shares(values, edges) for values in (reference, actual))
    return float(((found - expected) * np.log(found / expected)).sum())


def _edges(reference: Float64s) -> Float64s:
    """Each bin ends with its edge; beyond the last there is one more."""
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


def index_measure(what: What, name: str, reference: Float64s, actual: Float64s) -> Measure:
    """The index of one feature or score, judged."""
    rows, reference_rows = len(actual), len(reference)
    value: float | None = None
    said = f"{name}: {rows} rows against {reference_rows}, and {LEAST_ROWS} are needed of each"
    judgement = Judgement.TOO_FEW_ROWS
    if min(rows, reference_rows) >= LEAST_ROWS:
        value = stability_index(reference, actual)
        said, judgement = f"{name}: PSI {value:.3f}, bound {PSI_BOUND}", _judged(value)
        if why := MOVES_BY_ITSELF.get(name):
            said, judgement = f"{name}: PSI {value:.3f}, not judged: {why}", Judgement.NOT_JUDGED
    return Measure(
        what=what, name=name, value=value, rows=rows, reference_rows=reference_rows,
        judgement=judgement, said=said,
    )  # fmt: skip


def _judged(value: float) -> Judgement:
    return Judgement.PAST_BOUND if value > PSI_BOUND else Judgement.QUIET


def alert_rate_measure(reference: Share, actual: Share) -> Measure:
    """Twice as many alerts, or half, and not by chance."""
    few = min(reference.rows, actual.rows) < LEAST_ROWS
    now, usual = actual.ratio or 0.0, reference.ratio or 0.0
    is_far = now > ALERT_RATE_FACTOR * usual or usual > ALERT_RATE_FACTOR * now
    bound = f"by a factor of {ALERT_RATE_FACTOR:g}"
    return _ratio_measure(What.ALERT_RATE, (reference, actual), few=few, is_far=is_far, bound=bound)


def performance_measure(what: What, reference: Share, actual: Share) -> Measure:
    """Precision or recall has dropped, and not by chance."""
    few = min(reference.rows, actual.rows) < LEAST_DECIDED
    is_far = (reference.ratio or 0.0) - (actual.ratio or 0.0) > PERFORMANCE_DROP
    bound = f"lower by {PERFORMANCE_DROP:g}"
    return _ratio_measure(what, (reference, actual), few=few, is_far=is_far, bound=bound)


def _ratio_measure(
    what: What, shares: tuple[Share, Share], *, few: bool, is_far: bool, bound: str
) -> Measure:
    reference, actual = shares
    judgement = Judgement.QUIET
    if few:
        judgement = Judgement.TOO_FEW_ROWS
    elif is_far and z_of(reference, actual) > SURE_Z:
        judgement = Judgement.PAST_BOUND
    told = f"{_text(actual)} against {_text(reference)}"
    return Measure(
        what=what, name=str(what), value=actual.ratio, reference_value=reference.ratio,
        rows=actual.rows, reference_rows=reference.rows, judgement=judgement,
        said=f"{what}: {told}, bound {bound}" + (", too few to judge" if few else ""),
    )  # fmt: skip


def z_of(one: Share, other: Share) -> float:
    """How many standard errors two ratios lie apart, if both were draws from the same (pooled)."""
    rows = one.rows * other.rows
    pooled = (one.hits + other.hits) / (one.rows + other.rows)
    error = math.sqrt(pooled * (1 - pooled) * (one.rows + other.rows) / rows)
    return abs((one.ratio or 0.0) - (other.ratio or 0.0)) / error if error else 0.0


def _text(share: Share) -> str:
    return f"{share.ratio:.3f} of {share.rows}" if share.ratio is not None else "nothing"


def wants_model(measures: list[Measure]) -> bool:
    """Whether anything is past its bound."""
    return any(one.judgement is Judgement.PAST_BOUND for one in measures)


def sentence_of(day: str, measures: list[Measure]) -> str:
    """What a person is told."""
    past = [one.said for one in measures if one.judgement is Judgement.PAST_BOUND]
    few = sum(one.judgement is Judgement.TOO_FEW_ROWS for one in measures)
    beside = f"; {few} of {len(measures)} measures had too few rows to be judged" if few else ""
    if not past:
        return f"{day}: nothing is past its bound{beside}"
    return f"{day}: past the bound: {'; '.join(past)}{beside}; a new model is asked for"
