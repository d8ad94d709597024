"""Set up Cassandra, idempotently: own superuser, migrations, one role per component.

Every run drops the default login cassandra/cassandra and checks that it is refused.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cassandra import InvalidRequest
from cassandra.cluster import Session
from cassandra.protocol import SyntaxException
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fraudwatch.adapters.store.session import (
    KEYSPACE,
    LoginRefused,
    close,
    connect,
    translate_driver_errors,
)
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.settings import CassandraSettings, Secret
from fraudwatch.stack.cassandra_roles import (
    LoginCheck,
    RoleRefused,
    ensure_roles,
    forget_cached_login,
    make_role,
)
from fraudwatch.stack.migrations import Migration, MigrationRefused, plan, read_migrations

MIGRATIONS_FOLDER = Path(__file__).parents[3] / "cassandra" / "migrations"
DEFAULT_SUPERUSER = "cassandra"
PATIENCE_SECONDS = 240.0  # a first start on a busy machine takes minutes
PAUSE_SECONDS = 0.5
STATEMENT_SECONDS = 30.0
_LEDGER = f"{KEYSPACE}.schema_migration"


class SetupFailed(RuntimeError):
    """The setup failed; the message has the cause and the fix."""


class RolePasswords(BaseSettings):
    """Passwords of the components' Cassandra roles."""

    model_config = SettingsConfigDict(env_prefix="CASSANDRA_", frozen=True, extra="ignore")
    persister_password: Secret
    console_password: Secret
    tally_password: Secret
    notifier_password: Secret
    shadow_password: Secret
    reconciler_password: Secret
    ingest_password: Secret
    rest_api_password: Secret

    def by_role(self) -> dict[str, str]:
        """Return each role's password in clear text, for the one statement that needs it."""
        return {
            "persister": self.persister_password.get_secret_value(),
            "console": self.console_password.get_secret_value(),
            "tally": self.tally_password.get_secret_value(),
            "notifier": self.notifier_password.get_secret_value(),
            "shadow": self.shadow_password.get_secret_value(),
            "reconciler": self.reconciler_password.get_secret_value(),
            "ingest": self.ingest_password.get_secret_value(),
            "rest_api": self.rest_api_password.get_secret_value(),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the setup and print one line with its result; exit code 1 on failure."""
    parser = argparse.ArgumentParser(prog="cassandra_setup", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="print what would be applied")
    parser.add_argument("--migrations", type=Path, default=MIGRATIONS_FOLDER, metavar="FOLDER")
    options = parser.parse_args(arguments)
    # A refused login is an expected result here; the driver would print a stack trace for each.
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    try:
        admin = CassandraSettings()
        migrations = read_migrations(options.migrations)
        summary = preview(admin, migrations) if options.dry_run else set_up(admin, migrations)
    except ValidationError as error:
        return _fail(_settings_problem(error))
    except (MigrationRefused, RoleRefused, SetupFailed, StoreUnavailable) as error:
        return _fail(str(error))
    print(summary)  # noqa: T201  this command's output
    return 0


def set_up(admin: CassandraSettings, migrations: Sequence[Migration]) -> str:
    """Bring Cassandra from any state to what this checkout needs; return a summary."""
    started_at = time.monotonic()
    passwords = RolePasswords().by_role()
    session = _superuser_session(admin)
    try:
        with translate_driver_errors():
            _retire_default_superuser(session)
            applied = _migrate(session, migrations)
            changes = ensure_roles(session, passwords, _login_check(admin))
    except InvalidRequest as error:
        raise SetupFailed(f"Cassandra rejected a statement as invalid: {error}") from error
    finally:
        close(session)
    _check_default_login_is_refused(admin)
    return (
        f"Cassandra is ready: {len(migrations)} migrations ({applied} applied now), roles "
        f"{', '.join(passwords)} ({changes} rights changed), default login refused, "
        f"{time.monotonic() - started_at:.1f} s"
    )


def preview(admin: CassandraSettings, migrations: Sequence[Migration]) -> str:
    """List the statements that a run would execute; nothing is changed."""
    try:
        session = connect(admin)
    except LoginRefused:
        pending = plan(migrations, {})  # without our superuser nothing is set up yet
    else:
        with translate_driver_errors():
            pending = plan(migrations, _applied(session))
        close(session)
    shown = [f"-- {m.number:04d}_{m.name}\n" + ";\n".join(m.statements) + ";" for m in pending]
    return "\n\n".join([*shown, f"-- {len(pending)} of {len(migrations)} migrations to apply"])


def _superuser_session(admin: CassandraSettings) -> Session:
    """Log in as our own superuser; on the first start the default superuser creates it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return connect(admin, request_timeout_seconds=STATEMENT_SECONDS)
        except LoginRefused:
            problem = (
                f"it refuses {admin.username}: CASSANDRA_ADMIN_PASSWORD is not the one it was set "
                "up with. Restore that .env, or remove the store's data and start again"
            )
            if _make_superuser(admin):
                continue
        except StoreUnavailable as error:
            problem = f"{error}. See its log"
        if time.monotonic() > deadline:
            raise SetupFailed(f"no login within {PATIENCE_SECONDS:.0f} s: {problem}")
        time.sleep(PAUSE_SECONDS)


def _make_superuser(admin: CassandraSettings) -> bool:
    try:
        session = connect(
            _as(admin, DEFAULT_SUPERUSER, DEFAULT_SUPERUSER),
            request_timeout_seconds=STATEMENT_SECONDS,
        )
    except StoreUnavailable:
        return False
    try:
        with translate_driver_errors():
            make_role(session, admin.username, admin.password.get_secret_value(), is_superuser=True)
    finally:
        close(session)
    return True


def _retire_default_superuser(session: Session) -> None:
    """Drop the default superuser, on every run: an earlier run may have been killed before this."""
    session.execute(f"DROP ROLE IF EXISTS {DEFAULT_SUPERUSER}")
    forget_cached_login(session, DEFAULT_SUPERUSER)


def _check_default_login_is_refused(admin: CassandraSettings) -> None:
    if _login_check(admin)(DEFAULT_SUPERUSER, DEFAULT_SUPERUSER):
        raise SetupFailed(
            "Cassandra still accepts its default login, so every client may read and write. Set "
            "`authenticator: PasswordAuthenticator` in cassandra.yaml and restart it"
        )


def _login_check(admin: CassandraSettings) -> LoginCheck:
    def can_log_in(role: str, password: str) -> bool:
        try:
            session = connect(_as(admin, role, password))
        except LoginRefused:
            return False
        close(session)
        return True

    return can_log_in


def _as(admin: CassandraSettings, role: str, password: str) -> CassandraSettings:
    return admin.model_copy(update={"username": role, "password": SecretStr(password)})


def _migrate(session: Session, migrations: Sequence[Migration]) -> int:
    pending = plan(migrations, _applied(session))
    for migration in pending:
        _apply(session, migration)
    return len(pending)


def _apply(session: Session, migration: Migration) -> None:
    """Execute and record a migration; IF NOT EXISTS makes it idempotent if killed in between."""
    try:
        for statement in migration.statements:
            session.execute(statement)
    except (InvalidRequest, SyntaxException) as error:
        name = f"{migration.number:04d}_{migration.name}.cql"
        raise SetupFailed(f"{name} was rejected, nothing after it was run: {error}") from error
    session.execute(
        f"CREATE TABLE IF NOT EXISTS {_LEDGER} "
        "(number int PRIMARY KEY, name text, sha256 text, applied_at timestamp)"
    )
    session.execute(
        f"INSERT INTO {_LEDGER} (number, name, sha256, applied_at) "  # noqa: S608  our own name
        "VALUES (%s, %s, %s, %s)",
        (migration.number, migration.name, migration.sha256, datetime.now(UTC)),
    )


def _applied(session: Session) -> dict[int, str]:
    ledger = session.execute(
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s",
        tuple(_LEDGER.split(".")),
    )
    if ledger.one() is None:
        return {}
    rows = session.execute(f"SELECT number, sha256 FROM {_LEDGER}")  # noqa: S608  our own name
    return {row["number"]: row["sha256"] for row in rows}


def _settings_problem(error: ValidationError) -> str:
    # Built by hand: pydantic's own message may quote the value, here a password.
    problems = (f"CASSANDRA_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
    return "; ".join(problems)


def _fail(problem: str) -> int:
    print(f"cassandra_setup failed: {problem}", file=sys.stderr)  # noqa: T201  its only output
    return 1


if __name__ == "__main__":
    sys.exit(main())
