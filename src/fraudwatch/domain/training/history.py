"""Find the days of the purchase history that folds are planned on, and the stray days outside it.

A late upload or a wrong clock puts single purchases days before, or after, all others. A day is
sparse if it holds less than a tenth of the purchases of a usual day; the usual day is the size for
which half of all purchases were made on days at least as busy, so that neither many sparse days
nor one very busy day moves it. The history begins and ends on a day that is not sparse. Sparse days
within it (holidays, outages) stay; those before and after it are stray days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.domain.training.folds import FoldPlan

_SPARSE_SHARE: Final = 10  # a sparse day holds less than a tenth of a usual one


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Days since 1970, UTC: the first, the exclusive end, and the stray days' purchases."""

    first: int
    end: int
    stray_days: Mapping[int, int] = field(default_factory=dict)


def history_of(
    purchases: Mapping[int, int], plan: FoldPlan, *, first: int | None = None, end: int | None
) -> History | None:
    """Find the history in the number of purchases by day; None: no purchase to find it by.

    Args:
        purchases: by day; days without a purchase may be missing.
        plan: its folds limit how far back the history reaches.
        first: requested first day; default: as far back as the folds reach.
        end: requested end, which is kept although the days before it are sparse.
    """
    counted = {
        day: number
        for day, number in purchases.items()
        if number > 0 and (first is None or day >= first) and (end is None or day < end)
    }
    dense = _dense_days(counted, plan.reach_days)
    if not dense and (first is None or end is None):
        return None
    end = dense[-1] + 1 if end is None else end
    earliest = end - plan.reach_days if first is None else first
    begins = min((day for day in dense if day >= earliest), default=earliest)
    return History(
        first=begins, end=end, stray_days=_outside(counted, dense, earliest=earliest, end=end)
    )


def _dense_days(counted: Mapping[int, int], reach_days: int) -> list[int]:
    """Return the days that are not sparse; the usual day is that of the newest ones."""
    newest = sorted(counted)[-reach_days:]
    usual = _usual(counted[day] for day in newest)
    return [day for day in sorted(counted) if counted[day] * _SPARSE_SHARE >= usual]


def _usual(sizes: Iterable[int]) -> int:
    """Return the size of a day for which half of all purchases are on days at least as busy."""
    busiest_first = sorted(sizes, reverse=True)
    total, so_far = sum(busiest_first), 0
    for size in busiest_first:
        so_far += size
        if 2 * so_far >= total:
            return size
    return 0


def _outside(
    counted: Mapping[int, int], dense: list[int], *, earliest: int, end: int
) -> dict[int, int]:
    """Return the sparse days before and after the history.

    Where days that are not sparse reach further back than the folds, no day before is named: it
    is too old for any fold.
    """
    begins = dense[0] if dense and dense[0] >= earliest else None
    return {
        day: counted[day]
        for day in sorted(counted)
        if day >= end or (begins is not None and day < begins)
    }
