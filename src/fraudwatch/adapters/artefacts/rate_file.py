"""Load exchange rates from a CSV file: ``valid_on,currency,units_per_euro,source``.

A daily history since 1999 has some 224,000 rows, and every process that converts money reads it: a
row is checked by its distinct values and packed at once.
"""

from __future__ import annotations

import csv
import io
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from math import inf
from pathlib import Path
from typing import Final

from fraudwatch.domain.money import RateSeries, RateTable
from fraudwatch.domain.rate_history import ENDED, UNSTATED, RateRow

HEADER: Final = ["valid_on", "currency", "units_per_euro", "source"]
# A file of one source that its owner knows.
_SHORT_HEADER: Final = HEADER[:-1]
_CURRENCY = re.compile(r"[A-Z]{3}")
_SOURCE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
log = logging.getLogger(__name__)


class BrokenRates(ValueError):
    """The rate file is invalid; the message names line and cause."""


class _OutOfOrder(Exception):
    """A currency's rows are not in order of day."""


class _Checked(dict[str, str]):
    """Texts that passed a check: each distinct one is checked once."""

    def __init__(self, check: Callable[[str], None]) -> None:
        super().__init__()
        self._check = check

    def __missing__(self, text: str) -> str:
        self._check(text)
        self[text] = text
        return text


def load_rates(path: Path, default: Path | None = None) -> RateTable:
    """Read and check a rate file; where there is none, the default.

    Raises:
        BrokenRates: naming the line and what is wrong with it.
    """
    if default is not None and not path.exists():
        path = default
    try:
        table, rates, newest = _packed(path, enumerate(_rows(path), start=2))
    except _OutOfOrder:
        in_order = sorted(enumerate(_rows(path), start=2), key=lambda row: (row[1][1], row[1][0]))
        table, rates, newest = _packed(path, in_order)
    log.info("%s exchange rates, the newest of %s, from %s", f"{rates:,}", newest, path)
    return table


def read_rows(path: Path) -> Iterator[RateRow]:
    """Yield the checked rows of a rate file in its order.

    Raises:
        BrokenRates: naming the line and what is wrong with it.
    """
    return (RateRow(*cells, *([UNSTATED] * (len(HEADER) - len(cells)))) for cells in _rows(path))


def encode_rows(rows: Iterable[RateRow]) -> bytes:
    """Encode rows as the content of a rate file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows)
    return text.getvalue().encode("ascii")


def _rows(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            yield from _checked(path, csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BrokenRates(f"{path} cannot be read: {error}") from error


def _checked(path: Path, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    header = next(rows, [])
    if header not in (HEADER, _SHORT_HEADER):
        raise BrokenRates(f"{path}, line 1: must be {','.join(HEADER)}")
    width, line = len(header), 1
    days, currencies, sources = map(_Checked, (check_day, check_currency, _check_source))
    try:
        for line, cells in enumerate(rows, start=2):  # noqa: B007  for the error
            if len(cells) != width:
                raise ValueError(f"must have {width} cells, has {len(cells)}")  # noqa: TRY301
            days[cells[0]], currencies[cells[1]]  # each look-up checks
            if cells[2] != ENDED:
                check_units(cells[2])
            if width == len(HEADER):
                sources[cells[3]]
            yield cells
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise BrokenRates(f"{path}, line {line}: {error}") from error


def _packed(path: Path, rows: Iterable[tuple[int, list[str]]]) -> tuple[RateTable, int, str]:
    series: dict[str, RateSeries] = defaultdict(RateSeries)
    last: dict[str, str] = {}
    count = 0
    for line, cells in rows:
        day, currency, units = cells[:3]
        if day <= last.get(currency, ""):
            if day < last[currency]:
                raise _OutOfOrder
            raise BrokenRates(f"{path}, line {line}: a second rate of {currency} for {day}")
        last[currency] = day
        series[currency].append(day, "" if units == ENDED else units)
        count += 1
    if not series:
        raise BrokenRates(f"{path} has no rate, so only euro could be admitted")
    return RateTable.of_series(series), count, max(last.values())


def check_day(text: str) -> None:
    """Raise ValueError unless this is an ISO date."""
    try:
        is_day = date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_day = False
    if not is_day:
        raise ValueError(f"valid_on must be a day such as 2025-01-01, is {text!r}")


def check_currency(text: str) -> None:
    """Raise ValueError unless this is the code of a currency other than the euro."""
    if not _CURRENCY.fullmatch(text):
        raise ValueError(f"currency must be an ISO 4217 code such as USD, is {text!r}")
    if text == "EUR":
        raise ValueError("EUR needs no rate: all other currencies are converted into it")


def _check_source(text: str) -> None:
    if not _SOURCE.fullmatch(text):
        raise ValueError(f"source must be a short word such as ecb, is {text!r}")


def check_units(text: str) -> None:
    """Raise ValueError unless this is a positive decimal number."""
    try:
        is_positive = text.isascii() and 0 < float(text) < inf
    except ValueError:
        is_positive = False
    if not is_positive:
        raise ValueError(f"units_per_euro must be a positive decimal number, is {text!r}")
