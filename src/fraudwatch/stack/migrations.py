"""Numbered, forward-only migrations: which files there are, which are still to be applied.

Pure but for reading the files; ``cassandra_setup`` and ``lake_setup`` execute and record what is
planned here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.(cql|sql)")
# Comments and quoted texts are matched first, so that a semicolon inside them ends nothing.
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<quoted>'(?:[^']|'')*')|(?P<end>;)", re.DOTALL
)


class MigrationRefused(RuntimeError):
    """The folder and the database tell different stories; a person has to decide."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number decides the order, its hash proves that it is still what was applied."""

    number: int
    name: str
    sha256: str
    statements: tuple[str, ...]


def read_migrations(folder: Path) -> list[Migration]:
    """Every migration of a folder, in order.

    Raises:
        MigrationRefused: no files, a file that is not called ``NNNN_name.cql`` or ``.sql``, or
            numbers that do not run 1, 2, 3, ...
    """
    found = [_read(path) for path in sorted(folder.glob("*.[cs]ql"))]
    numbers = [migration.number for migration in found]
    if not found:
        raise MigrationRefused(f"{folder} holds no migration; run from a complete checkout")
    if numbers != list(range(1, len(numbers) + 1)):
        raise MigrationRefused(f"{folder}: numbers {numbers} must run 1, 2, 3, ... without a gap")
    return found


def plan(migrations: Sequence[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """What is still to be applied, given the hash that each applied number had.

    Raises:
        MigrationRefused: an applied file has changed, or the database knows one that we do not.
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
    """The statements of a CQL or SQL text, without comments; quoted semicolons do not split."""
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
        raise MigrationRefused(f"{path.name} must be called like 0003_what_it_brings.cql")
    content = path.read_bytes()
    return Migration(
        number=int(named["number"]),
        name=named["name"],
        sha256=hashlib.sha256(content).hexdigest(),
        statements=statements_of(content.decode()),
    )
