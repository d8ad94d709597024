"""Migrations run once, in order, and are never rewritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.stack.migrations import (
    Migration,
    MigrationRefused,
    plan,
    read_migrations,
    statements_of,
)

FIRST = Migration(1, "keyspace", "aa", ("CREATE KEYSPACE k",))
SECOND = Migration(2, "tables", "bb", ("CREATE TABLE k.t",))


def test_a_new_database_gets_every_migration_in_order() -> None:
    assert plan([FIRST, SECOND], {}) == [FIRST, SECOND]


def test_applied_migrations_are_not_applied_again() -> None:
    assert plan([FIRST, SECOND], {1: "aa"}) == [SECOND]
    assert plan([FIRST, SECOND], {1: "aa", 2: "bb"}) == []


def test_a_file_changed_after_it_was_applied_is_refused() -> None:
    with pytest.raises(MigrationRefused, match=r"0001_keyspace was changed"):
        plan([FIRST, SECOND], {1: "other"})


def test_an_older_checkout_is_refused() -> None:
    with pytest.raises(MigrationRefused, match=r"\[2\] that this checkout lacks"):
        plan([FIRST], {1: "aa", 2: "bb"})


def test_statements_end_at_semicolons_outside_comments_and_quotes() -> None:
    text = "-- one; two\nCREATE A /* x; */ WITH c = 'a;''b';\n\nCREATE B -- 'tis last\n;\n-- end"
    assert statements_of(text) == ("CREATE A  WITH c = 'a;''b'", "CREATE B")


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("SELECT 1;")
    return folder


def test_files_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write(tmp_path, "0002_b.cql", "0001_a.cql")
    assert [m.name for m in read_migrations(tmp_path)] == ["a", "b"]
    assert len({m.sha256 for m in read_migrations(tmp_path)}) == 1


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ((), "holds no migration"),
        (("0001_a.cql", "0003_b.cql"), "without a gap"),
        (("0001_a.cql", "0001_b.cql"), "without a gap"),
        (("1_a.cql",), "must be named like"),
    ],
)
def test_an_invalid_folder_is_refused(
    tmp_path: Path, names: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(MigrationRefused, match=complaint):
        read_migrations(write(tmp_path, *names))
