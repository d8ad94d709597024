"""Update exchange rates by a published history: check it against those in use, merge, report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.rate_history import ENDED, PublishedHistory, RateRow, is_within

# Currencies of the table lose half their value in weeks at worst, and never in a day.
LARGEST_FACTOR: Final = 2.0


class ImplausibleRates(ValueError):
    """The published history contradicts the rates in use or itself; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Rate of a currency on the newest published day, before and after the update."""

    currency: str
    source_before: str
    units_before: str
    units_after: str


@dataclass(frozen=True, slots=True)
class RatesUpdate:
    """Rows of the updated rate file, and how they differ from those before."""

    rows: Sequence[RateRow]
    rates: int
    currencies: int
    first_day: str
    newest_day: str
    added: int
    corrected: int
    ended: Mapping[str, str]
    """Day from which a currency has no rate, of those that have none on the newest day."""
    kept: Mapping[str, Sequence[str]]
    """Sources of a currency that the history does not have."""
    replaced: Sequence[Replaced]


def update_rates(
    current: Iterable[RateRow], history: PublishedHistory, accepted: Collection[str] = ()
) -> RatesUpdate:
    """Replace all rows of the currencies that the history has, and keep those of all others.

    Args:
        current: rows in use.
        history: what is published.
        accepted: currencies that may change by more than :data:`LARGEST_FACTOR`.

    Raises:
        ImplausibleRates: naming what contradicts, and how it is accepted.
    """
    current = sorted(current, key=lambda row: (row.currency, row.valid_on))
    earlier = {
        (row.currency, row.valid_on): row.units
        for row in current
        if row.source == history.source and row.units != ENDED
    }
    published = list(history.rows())
    rates = {(row.currency, row.valid_on): row.units for row in published if row.units != ENDED}
    _check_complete(earlier, rates, history)
    _check_jumps(history, accepted)
    newest = {row.currency: row for row in published}
    in_use = {row.currency: row for row in current if row.valid_on <= history.days[-1]}
    replaced = [
        Replaced(currency, before.source, before.units, newest[currency].units)
        for currency, before in in_use.items()
        if currency in newest and ENDED not in (before.units, newest[currency].units)
    ]
    _check_newest(replaced, history, accepted)
    others = [row for row in current if row.currency not in history.rates]
    return RatesUpdate(
        rows=sorted([*published, *others], key=lambda row: (row.currency, row.valid_on)),
        rates=len(rates),
        currencies=len(history.rates),
        first_day=history.days[0],
        newest_day=history.days[-1],
        added=len(rates.keys() - earlier.keys()),
        corrected=sum(earlier.get(key, units) != units for key, units in rates.items()),
        ended={row.currency: row.valid_on for row in newest.values() if row.units == ENDED},
        kept={
            currency: sorted({row.source for row in others if row.currency == currency})
            for currency in sorted({row.currency for row in others})
        },
        replaced=[one for one in replaced if one.source_before != history.source],
    )


def _check_complete(
    earlier: Mapping[tuple[str, str], str],
    rates: Mapping[tuple[str, str], str],
    history: PublishedHistory,
) -> None:
    lost = sorted(earlier.keys() - rates.keys(), key=lambda key: key[::-1])
    if lost:
        currency, day = lost[-1]
        raise ImplausibleRates(
            f"{len(lost):,} rates of source {history.source} in use are missing in it, such as "
            f"{currency} on {day}; it ends on {history.days[-1]}, so it may be old or cut off; to "
            "use it nevertheless, remove the rate file first"
        )


def _check_jumps(history: PublishedHistory, accepted: Collection[str]) -> None:
    for currency, (day, units), (next_day, next_units) in history.jumps(LARGEST_FACTOR):
        if currency not in accepted:
            raise ImplausibleRates(
                f"{currency} goes from {units} on {day} to {next_units} on {next_day}: more than a "
                f"factor of {LARGEST_FACTOR:g}; if that is right, add --accept {currency}"
            )


def _check_newest(
    replaced: Iterable[Replaced], history: PublishedHistory, accepted: Collection[str]
) -> None:
    for one in replaced:
        is_plausible = is_within(LARGEST_FACTOR, one.units_before, one.units_after)
        if not is_plausible and one.currency not in accepted:
            raise ImplausibleRates(
                f"{one.currency} is {one.units_after} on {history.days[-1]}, the rate in use "
                f"(source {one.source_before}) is {one.units_before}: more than a factor of "
                f"{LARGEST_FACTOR:g}; if that is right, add --accept {one.currency}"
            )
