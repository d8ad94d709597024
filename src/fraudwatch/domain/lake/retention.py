"""Apply the retention policy of the lake: days to keep each table and folder, and what expired."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

VERSION: Final = 1
DAY_FOLDER: Final = "day="
# A shorter retention is a mistake in the file.
_SHORTEST_DAYS: Final = 30


class BrokenRetention(ValueError):
    """Invalid retention policy; nothing was deleted."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Retention policy: days to keep by table and by folder; and tables that are kept for ever."""

    tables: Mapping[str, int]
    folders: Mapping[str, int]
    kept: frozenset[str]

    def check(self, existing: Collection[str]) -> None:
        """Check the policy against the tables that exist.

        Raises:
            BrokenRetention: a table is not named, or a name is no table.
        """
        named = self.tables.keys() | self.kept
        problems = [f"{name} is not named" for name in sorted(set(existing) - named)]
        problems += [f"{name} is no table" for name in sorted(self.tables.keys() - set(existing))]
        if problems:
            raise BrokenRetention(
                f"the policy does not fit the lake ({'; '.join(problems)}), so nothing was "
                "deleted; fix contracts/retention.yaml, or apply the missing migrations"
            )


def oldest_kept(today: date, days: int) -> date:
    """Return the first day that is kept."""
    return today - timedelta(days=days)


def too_old(folders: Iterable[str], today: date, days: int) -> list[str]:
    """Return the expired among folders named ``day=2026-11-20``; other folders are ignored."""
    return sorted(
        name for name in folders if (day := _day_of(name)) and day < oldest_kept(today, days)
    )


def retention_from(document: Any) -> Retention:
    """Build the retention policy from a parsed document.

    Raises:
        BrokenRetention: the document is invalid; the text names the place.
    """
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise BrokenRetention(f"it is no retention policy of version {VERSION}")
    if unknown := document.keys() - {"version", "tables", "folders", "kept"}:
        raise BrokenRetention(f"unknown keys: {', '.join(sorted(map(str, unknown)))}")
    limits = {part: _limits(document.get(part, {}), part) for part in ("tables", "folders")}
    kept = document.get("kept", {})
    if not isinstance(kept, dict):
        raise BrokenRetention("kept: must name tables, each with its reason")
    if twice := kept.keys() & limits["tables"].keys():
        raise BrokenRetention(f"{', '.join(sorted(twice))}: both limited and kept for ever")
    return Retention(limits["tables"], limits["folders"], frozenset(kept))


def _limits(entries: Any, part: str) -> dict[str, int]:
    if not isinstance(entries, dict):
        raise BrokenRetention(f"{part}: must be a mapping of names to days and a reason")
    return {name: _days(entry, f"{part}.{name}") for name, entry in entries.items()}


def _days(entry: Any, place: str) -> int:
    days = entry.get("days") if isinstance(entry, dict) else None
    if type(days) is not int or days < _SHORTEST_DAYS:
        raise BrokenRetention(f"{place}.days must be a whole number, {_SHORTEST_DAYS} at least")
    if not entry.get("why"):
        raise BrokenRetention(f"{place}.why is missing: every limit needs a documented reason")
    return days


def _day_of(name: str) -> date | None:
    try:
        return date.fromisoformat(name.removeprefix(DAY_FOLDER)) if DAY_FOLDER in name else None
    except ValueError:
        return None
