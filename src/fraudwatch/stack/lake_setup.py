"""Create the lake's tables, idempotently: migrations of hive/ through the Thrift Server."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from fraudwatch.adapters.lake.hive_sql import (
    SqlSession,
    StatementRefused,
    ThriftServerUnavailable,
    sql_session,
)
from fraudwatch.lake import DATABASE
from fraudwatch.settings import HiveSettings
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.migrations import Migration, MigrationRefused, plan, read_migrations

# Spark's error class; all columns of one statement are added or none.
COLUMN_EXISTS = "FIELD_ALREADY_EXISTS"
MIGRATIONS_FOLDER = ROOT / "hive" / "migrations"
LEDGER = "schema_migration"


class LakeSetupFailed(RuntimeError):
    """The setup failed; the message has the cause and the fix."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the setup and print one line with its result; exit code 1 on failure."""
    parser = argparse.ArgumentParser(
        prog="lake_setup", description=__doc__, epilog="Example: lake_setup --dry-run"
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be applied")
    parser.add_argument("--migrations", type=Path, default=MIGRATIONS_FOLDER, metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        migrations = read_migrations(options.migrations)
        with sql_session(HiveSettings()) as session:
            summary = (preview if options.dry_run else set_up)(session, migrations)
    except ValidationError as error:
        return _fail(
            "; ".join(f"HIVE_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        )
    except (ThriftServerUnavailable, MigrationRefused, LakeSetupFailed, StatementRefused) as error:
        return _fail(str(error))
    print(summary)  # noqa: T201  this command's output
    return 0


def set_up(session: SqlSession, migrations: Sequence[Migration]) -> str:
    """Bring the tables to where this checkout needs them; return a summary."""
    started_at = time.monotonic()
    pending = plan(migrations, _applied(session))
    for migration in pending:
        _apply(session, migration)
    return (
        f"The lake is ready: {len(migrations)} migrations ({len(pending)} applied now), "
        f"{time.monotonic() - started_at:.1f} s"
    )


def preview(session: SqlSession, migrations: Sequence[Migration]) -> str:
    """List the statements that a run would execute; nothing is changed."""
    pending = plan(migrations, _applied(session))
    shown = [f"-- {m.number:04d}_{m.name}\n" + ";\n".join(m.statements) + ";" for m in pending]
    return "\n\n".join([*shown, f"-- {len(pending)} of {len(migrations)} migrations to apply"])


def _apply(session: SqlSession, migration: Migration) -> None:
    """Execute and record a migration; it can be run again if it was killed in between."""
    try:
        for statement in migration.statements:
            _run(session, statement)
    except StatementRefused as error:
        name = f"{migration.number:04d}_{migration.name}.sql"
        raise LakeSetupFailed(f"{name} was rejected, nothing after it was run: {error}") from error
    session.run(
        f"CREATE TABLE IF NOT EXISTS {DATABASE}.{LEDGER} "
        "(number INT, name STRING, sha256 STRING, applied_at TIMESTAMP) USING delta"
    )
    session.run(
        f"INSERT INTO {DATABASE}.{LEDGER} "  # noqa: S608  our own names
        "VALUES (%s, %s, %s, current_timestamp())",
        (migration.number, migration.name, migration.sha256),
    )


def _run(session: SqlSession, statement: str) -> None:
    """Run a statement; columns that a killed run added are there already (no IF NOT EXISTS)."""
    try:
        session.run(statement)
    except StatementRefused as error:
        if " ADD COLUMNS" not in statement or COLUMN_EXISTS not in str(error):
            raise


def _applied(session: SqlSession) -> dict[int, str]:
    if not session.rows(f"SHOW DATABASES LIKE '{DATABASE}'"):
        return {}
    if not session.rows(f"SHOW TABLES IN {DATABASE} LIKE '{LEDGER}'"):
        return {}
    rows = session.rows(f"SELECT number, sha256 FROM {DATABASE}.{LEDGER}")  # noqa: S608  our own names
    return {int(number): str(sha256) for number, sha256 in rows}


def _fail(problem: str) -> int:
    print(f"lake_setup failed: {problem}", file=sys.stderr)  # noqa: T201  its only output
    return 1


if __name__ == "__main__":
    sys.exit(main())
