"""The European Central Bank's reference rates: download the history since 1999 and parse it.

The bank publishes one CSV file in a zip archive: a row a day, newest first, a column a currency,
``N/A`` where it published none, and a comma after the last cell.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import httpx

from fraudwatch.adapters.artefacts.rate_file import check_currency, check_day, check_units
from fraudwatch.domain.rate_history import PublishedHistory

URL: Final = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
SOURCE: Final = "ecb"
# The archive has 0.6 MB and its file 2 MB; more is something else.
_LARGEST_BYTES: Final = 32 << 20
_TIMEOUT_SECONDS: Final = 60.0
_ABSENT: Final = ("N/A", "")
_FEWEST_CURRENCIES: Final = 5


class HistoryUnavailable(Exception):
    """The history cannot be downloaded, so nothing was changed."""


class UnreadableHistory(ValueError):
    """This is not the bank's history; the message names line and cause."""


def download(url: str) -> bytes:
    """Download the archive.

    Raises:
        HistoryUnavailable: no connection, no success, or too many bytes.
    """
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_SECONDS, follow_redirects=True) as answer:
            answer.raise_for_status()
            content = bytearray()
            for part in answer.iter_bytes():
                content += part
                if len(content) > _LARGEST_BYTES:
                    raise HistoryUnavailable(
                        f"{url} is larger than {_LARGEST_BYTES >> 20} MiB, so it is not the history"
                    )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise HistoryUnavailable(f"{url} cannot be downloaded ({error})") from error
    return bytes(content)


def parse_history(content: bytes, today: date) -> PublishedHistory:
    """Parse the archive or the CSV file in it.

    Raises:
        UnreadableHistory: it is neither, or a day, a currency or a rate is not valid.
    """
    reader = csv.reader(io.StringIO(_text(content), newline=""))
    try:
        return _parsed(reader, today)
    except (ValueError, csv.Error) as error:
        raise UnreadableHistory(f"line {reader.line_num}: {error}") from error


def _text(content: bytes) -> str:
    if content.startswith(b"PK"):
        content = _unzipped(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableHistory("it is neither a zip archive nor text") from error


def _unzipped(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise UnreadableHistory(f"the archive must have one CSV file, has {len(names)}")
            with archive.open(names[0]) as file:
                unzipped = file.read(_LARGEST_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UnreadableHistory(f"the archive cannot be opened ({error})") from error
    if len(unzipped) > _LARGEST_BYTES:
        raise UnreadableHistory(f"its file is larger than {_LARGEST_BYTES >> 20} MiB")
    return unzipped


def _parsed(rows: Iterator[list[str]], today: date) -> PublishedHistory:
    currencies = _currencies(next(rows, []))
    days: list[str] = []
    rates: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for cells in rows:
        day, units = _row(cells, len(currencies))
        _check_order(days, day, today)
        days.append(day)
        for currency, text in zip(currencies, units, strict=True):
            if text not in _ABSENT:
                check_units(text)
                rates[currency].append((day, text))
    if not rates:
        raise ValueError("there is no rate in it")
    if days[0] > days[-1]:
        days.reverse()
        for series in rates.values():
            series.reverse()
    return PublishedHistory(SOURCE, days, dict(rates))


def _currencies(header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    if names and not names[-1]:
        names.pop()
    if not names or names[0] != "Date" or len(names) <= _FEWEST_CURRENCIES:
        raise ValueError("must begin with Date and name the currencies, as the bank's file does")
    for name in names[1:]:
        check_currency(name)
    if len(set(names)) != len(names):
        raise ValueError("a currency has two columns")
    return names[1:]


def _row(cells: Sequence[str], currencies: int) -> tuple[str, list[str]]:
    texts = [cell.strip() for cell in cells]
    expected = currencies + 1
    # One cell fewer with a comma at its end is no row: a column is missing, and all others moved.
    if not (len(texts) == expected and texts[-1]) and (len(texts) != expected + 1 or texts[-1]):
        raise ValueError(f"must have a day and {currencies} cells, and perhaps a comma at the end")
    check_day(texts[0])
    return texts[0], texts[1:expected]


def _check_order(days: Sequence[str], day: str, today: date) -> None:
    if day > today.isoformat():
        raise ValueError(f"{day} is in the future")
    if not days:
        return
    is_newest_first = len(days) == 1 or days[0] > days[1]
    if day == days[-1] or (len(days) > 1 and (day < days[-1]) != is_newest_first):
        raise ValueError(f"{day} after {days[-1]} is not in order of day")
