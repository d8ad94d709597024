"""Convert and format money as integers: minor units of a currency, euro cents by dated rates.

``iso_4217.csv`` is the one table of decimals: the standard's list of current currencies as
published on 2026-01-01, and withdrawn ones with the decimals that they had, as Java's ``Currency``
(OpenJDK 25) lists them. Currencies of which the standard says "not applicable", such as gold (XAU)
or XXX, have none.
"""

from __future__ import annotations

import csv
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

# That of amount_minor in a purchase. Far below 2**53, so features hold every amount exactly.
LARGEST_EUR_CENTS: Final = 10**13
_TABLE: Final = Path(__file__).with_name("iso_4217.csv")


def _read_table() -> Mapping[str, int]:
    with _TABLE.open(encoding="ascii", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return MappingProxyType({r["currency"]: int(r["decimals"]) for r in rows if r["decimals"]})


DECIMALS: Final = _read_table()
"""Number of decimals by currency, of all whose decimals are known."""


class UnknownCurrency(ValueError):
    """The number of decimals of this currency is not known, so its amounts have no meaning."""


class MissingRate(ValueError):
    """No rate is known for this currency on or before this day."""


def minor_units_of(currency: str) -> int:
    """Return a currency's number of decimals: 2 for EUR, 0 for JPY, 3 for KWD, 4 for CLF.

    Raises:
        UnknownCurrency: ISO 4217 has no such currency, or it has no minor unit.
    """
    decimals = DECIMALS.get(currency)
    if decimals is None:
        raise UnknownCurrency(
            f"{currency} has no number of decimals in ISO 4217, so its amounts cannot be read"
        )
    return decimals


def amount_text(amount_minor: int, currency: str) -> str:
    """Format an amount with its currency's decimals: ``1,234.50 GBP`` for 123450 pence.

    An amount whose decimals are not known, of a purchase from before they were required, is given
    as what it is: ``123,450 minor units of XXX``.
    """
    decimals = DECIMALS.get(currency)
    if decimals is None:
        return f"{amount_minor:,} minor units of {currency}"
    units, rest = divmod(abs(amount_minor), 10**decimals)
    sign, fraction = "-" * (amount_minor < 0), f".{rest:0{decimals}d}" * (decimals > 0)
    return f"{sign}{units:,}{fraction} {currency}"


@dataclass(frozen=True, slots=True)
class Rate:
    """Exchange rate: units of ``currency`` for one euro, from ``valid_on`` (ISO date)."""

    valid_on: str
    currency: str
    units_per_euro: Decimal


@dataclass(frozen=True, slots=True)
class EuroAmount:
    """Amount in euro cents, with the day of its exchange rate."""

    eur_cents: int
    rate_on: str


class RateSeries:
    """Exchange rates of one currency, by day: packed, because a daily history has thousands.

    A rate is kept as its decimal text, so that none is rounded, and occupies some 15 bytes.
    """

    __slots__ = ("_days", "_ends", "_texts")

    def __init__(self) -> None:
        self._days, self._ends, self._texts = array("i"), array("i"), bytearray()

    def append(self, day: str, units_per_euro: str) -> None:
        """Add a decimal number of units for one euro from this day on; "" ends the rates.

        Days must come in order; of two rates of one day the later counts.
        """
        self._days.append(_day_number(day))
        self._texts += units_per_euro.encode("ascii")
        self._ends.append(len(self._texts))

    def newest(self, day: str) -> tuple[str, str] | None:
        """Return the day and the text of the newest rate not after a day; None before the first."""
        position = bisect_right(self._days, _day_number(day)) - 1
        if position < 0:
            return None
        begin = self._ends[position - 1] if position else 0
        text = self._texts[begin : self._ends[position]].decode("ascii")
        digits = f"{self._days[position]:08}"
        return f"{digits[:-4]}-{digits[-4:-2]}-{digits[-2:]}", text


def _day_number(day: str) -> int:
    return int(day.replace("-", ""))  # 20261130: ordered as the text is, in a few bytes


class RateTable:
    """Dated exchange rates: a day uses the newest rate that is not after it."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._by_currency: dict[str, RateSeries] = {}
        for rate in sorted(rates, key=lambda r: (r.currency, r.valid_on)):
            series = self._by_currency.setdefault(rate.currency, RateSeries())
            series.append(rate.valid_on, str(rate.units_per_euro))

    @classmethod
    def of_series(cls, by_currency: Mapping[str, RateSeries]) -> Self:
        """Make a table of series by currency."""
        table = cls(())
        table._by_currency = dict(by_currency)
        return table

    def to_eur(self, amount_minor: int, currency: str, day: str) -> EuroAmount:
        """Convert minor units into euro cents, half to even, in integers of any size.

        Raises:
            UnknownCurrency: the currency's number of decimals is not known.
            MissingRate: the table has no rate of this currency on or before ``day``, or its rates
                ended.
        """
        if currency == "EUR":
            return EuroAmount(amount_minor, day)
        minor_per_unit = 10 ** minor_units_of(currency)
        series = self._by_currency.get(currency)
        newest = series.newest(day) if series else None
        if newest is None:
            raise MissingRate(f"no rate of {currency} on or before {day}")
        rate_on, text = newest
        if not text:
            raise MissingRate(f"no rate of {currency} on {day}: its rates ended on {rate_on}")
        units, euros = Decimal(text).as_integer_ratio()
        cents = _divided_half_to_even(amount_minor * 100 * euros, minor_per_unit * units)
        return EuroAmount(cents, rate_on)


def _divided_half_to_even(dividend: int, divisor: int) -> int:
    quotient, rest = divmod(dividend, divisor)
    is_up = 2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1)
    return quotient + is_up
