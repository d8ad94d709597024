"""Read numbered, forward-only migrations and plan which are still to be applied.

Pure except for reading the files; ``cassandra_setup`` and ``lake_setup`` execute and record the
plan.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.(cql|sql)")
# Comments and quoted texts are matched first, so that a semicolon inside them ends no statement.
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<quoted>'(?:[^']|'')*')|(?P<end>;)", re.DOTALL
)


class MigrationRefused(RuntimeError):
    """The migration files and the database disagree; an operator has to decide."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file: its number is its order, its hash shows whether it was changed later."""

    number: int
    name: str
    sha256: str
    statements: tuple[str, ...]


def read_migrations(folder: Path) -> list[Migration]:
    """Read every migration of a folder, in order.

    Raises:
        MigrationRefused: no files, a file that is not called ``NNNN_name.cql`` or ``.sql``, or
            numbers that are not 1, 2, 3, ...
    """
    found = [_read(path) for path in sorted(folder.glob("*.[cs]ql"))]
    numbers = [migration.number for migration in found]
    if not found:
        raise MigrationRefused(f"{folder} holds no migration; run from a complete checkout")
    if numbers != list(range(1, len(numbers) + 1)):
        raise MigrationRefused(f"{folder}: numbers {numbers} must be 1, 2, 3, ... without a gap")
    return found


def plan(migrations: Sequence[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """Return the migrations still to be applied, given the hash of each applied number.

    Raises:
        MigrationRefused: an applied file has changed, or the checkout lacks an applied one.
    """
    unknown = sorted(applied.keys() - {migration.number for migration in migrations})
    if unknown:
        raise MigrationRefused(
            f"the database has migrations {unknown} that this checkout lacks: it was set up by a "
            "newer version; use that version"
        )
    for migration in migrations:
        if applied.get(migration.number, migration.sha256) != migration.sha256:
            raise MigrationRefused(
                f"{migration.number:04d}_{migration.name} was changed after it had been "
                "applied: restore it and put the change into a new file with the next number"
            )
    return [migration for migration in migrations if migration.number not in applied]


def statements_of(text: str) -> tuple[str, ...]:
    """Split a CQL or SQL text into statements, without comments; quoted semicolons do not split."""
    pieces, current, position = [], "", 0
    for token in _TOKEN.finditer(text):
        current += text[position : token.start()] + (token["quoted"] or "")
        position = token.end()
        if token["end"]:
            pieces.append(current)
            current = ""
    pieces.append(current + text[position:])
    return tuple(piece.strip() for piece in pieces if piece.strip())


def _read(path: Path) -> Migration:
    named = _FILE_NAME.fullmatch(path.name)
    if named is None:
        raise MigrationRefused(f"{path.name} must be named like 0003_what_it_adds.cql")
    content = path.read_bytes()
    return Migration(
        number=int(named["number"]),
        name=named["name"],
        sha256=hashlib.sha256(content).hexdigest(),
        statements=statements_of(content.decode()),
    )
