"""Convert money as integers: minor units of a currency to euro cents by a dated rate table."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

# ISO 4217 currencies whose minor unit is not a hundredth.
MINOR_UNIT_EXPONENT = {"JPY": 0, "KRW": 0, "ISK": 0, "TND": 3, "KWD": 3, "BHD": 3}


class UnknownCurrency(ValueError):
    """No rate is known for this currency on or before this day."""


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


class RateTable:
    """Dated exchange rates: a day uses the newest rate that is not after it."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._by_currency: dict[str, tuple[list[str], list[Decimal]]] = {}
        for rate in sorted(rates, key=lambda r: (r.currency, r.valid_on)):
            days, units = self._by_currency.setdefault(rate.currency, ([], []))
            days.append(rate.valid_on)
            units.append(rate.units_per_euro)

    def to_eur(self, amount_minor: int, currency: str, day: str) -> EuroAmount:
        """Convert minor units into euro cents, half to even.

        Raises:
            UnknownCurrency: when the table has no rate of this currency on or before ``day``.
        """
        if currency == "EUR":
            return EuroAmount(amount_minor, day)
        days, units = self._by_currency.get(currency, ([], []))
        position = bisect_right(days, day) - 1
        if position < 0:
            raise UnknownCurrency(f"no rate of {currency} on or before {day}")
        minor_per_unit = 10 ** MINOR_UNIT_EXPONENT.get(currency, 2)
        cents = Decimal(amount_minor) * 100 / (minor_per_unit * units[position])
        return EuroAmount(int(cents.quantize(Decimal(1), ROUND_HALF_EVEN)), days[position])
