"""Load exchange rates from a CSV file: ``valid_on,currency,units_per_euro``."""

from __future__ import annotations

import csv
import re
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from fraudwatch.domain.money import Rate, RateTable

HEADER = ["valid_on", "currency", "units_per_euro"]
_CURRENCY = re.compile(r"[A-Z]{3}")


class BrokenRates(ValueError):
    """The rate file is invalid; the message names line and cause."""


def load_rates(path: Path) -> RateTable:
    """Read and check a rate file.

    Raises:
        BrokenRates: naming the line and what is wrong with it.
    """
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BrokenRates(f"{path} cannot be read: {error}") from error
    if not lines or lines[0] != HEADER:
        raise BrokenRates(f"{path}, line 1: must be {','.join(HEADER)}")
    rates: dict[tuple[str, str], Rate] = {}
    for number, cells in enumerate(lines[1:], start=2):
        try:
            _add(rates, _rate(cells))
        except ValueError as error:
            raise BrokenRates(f"{path}, line {number}: {error}") from error
    if not rates:
        raise BrokenRates(f"{path} has no rate, so only euro could be admitted")
    return RateTable(rates.values())


def _add(rates: dict[tuple[str, str], Rate], rate: Rate) -> None:
    if (rate.valid_on, rate.currency) in rates:
        raise ValueError(f"a second rate of {rate.currency} for {rate.valid_on}")
    rates[rate.valid_on, rate.currency] = rate


def _rate(cells: list[str]) -> Rate:
    if len(cells) != len(HEADER):
        raise ValueError(f"must have {len(HEADER)} cells, has {len(cells)}")
    day, currency, units = cells
    try:
        is_day = date.fromisoformat(day).isoformat() == day
    except ValueError:
        is_day = False
    if not is_day:
        raise ValueError(f"valid_on must be a day such as 2025-01-01, is {day!r}")
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"currency must be an ISO 4217 code such as USD, is {currency!r}")
    if currency == "EUR":
        raise ValueError("EUR needs no rate: all other currencies are converted into it")
    return Rate(day, currency, _units(units))


def _units(text: str) -> Decimal:
    try:
        units = Decimal(text)
    except InvalidOperation:
        units = Decimal("NaN")
    if not units.is_finite() or units <= 0:
        raise ValueError(f"units_per_euro must be a positive decimal number, is {text!r}")
    return units
