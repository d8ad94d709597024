"""Parse a watch list in OpenSanctions' simple CSV form (``targets.simple.csv``).

Of its columns id, schema, name, aliases and countries are read; others are ignored, and so are
entries that are no person and no company, such as ships.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from fraudwatch.domain.watch_lists import WatchListEntry

_NEEDED: Final = ("id", "schema", "name", "aliases", "countries")
_SCREENED: Final = frozenset({"Company", "LegalEntity", "Organization", "Person", "PublicBody"})
# The message that names an entry has room for 256 characters.
_ENTRY_ID = re.compile(r"\S{1,200}")


class BrokenWatchList(ValueError):
    """A list cannot be used; the message names the line and the cause, never a name."""


def parse_simple_csv(content: bytes) -> tuple[WatchListEntry, ...]:
    """Parse the persons and companies of a list.

    Raises:
        BrokenWatchList: it is no such CSV, or an entry is invalid.
    """
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        return tuple(_entries(reader))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BrokenWatchList(f"it is no CSV in UTF-8: {error}") from error


def _entries(reader: csv.DictReader[str]) -> Iterator[WatchListEntry]:
    if missing := [name for name in _NEEDED if name not in (reader.fieldnames or ())]:
        raise BrokenWatchList(f"its first line has no column {', '.join(missing)}")
    ids: set[str] = set()
    for row in reader:
        values = [row[name] for name in _NEEDED]
        # DictReader keeps cells beyond the header under None, and fills missing ones with None.
        if None in row or None in values:
            raise BrokenWatchList(f"line {reader.line_num} has another number of columns")
        entry_id, schema, name, aliases, countries = values
        if not _ENTRY_ID.fullmatch(entry_id) or entry_id in ids:
            raise BrokenWatchList(
                f"line {reader.line_num} has no id of up to 200 characters without spaces, or the "
                "id of another line"
            )
        ids.add(entry_id)
        if schema not in _SCREENED:
            continue
        names = tuple(dict.fromkeys((name.strip(), *_parts(aliases))))
        if not names[0]:
            raise BrokenWatchList(f"line {reader.line_num} has no name")
        yield WatchListEntry(entry_id, names, frozenset(map(str.upper, _parts(countries))))


def _parts(text: str) -> Iterator[str]:
    return (part.strip() for part in text.split(";") if part.strip())
