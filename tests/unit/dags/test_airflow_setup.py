"""Airflow's setup: the command that migrates runs where a migration is missing, and only there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from airflow.utils import db
from sqlalchemy.exc import OperationalError

from fraudwatch.orchestration import airflow_setup

SECRET = "Kq7-fresh-and-long-4471"
STEPS = ("create_logins", "create_pool", "write_connections")


def _all_applied(timeout: int) -> None:
    assert timeout == 1, "a start does not wait for another process to migrate"


def _one_missing(timeout: int) -> None:
    raise TimeoutError(f"There are still unapplied migrations after {timeout} seconds.")


def _no_database(timeout: int) -> None:
    raise OperationalError("SELECT 1", {}, OSError(f"no answer after {timeout} s"))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace what writes to the database; returns the list of what was called."""
    called = list[str]()

    def record(name: str) -> Callable[..., bool]:
        def call(*_values: object) -> bool:
            called.append(name)
            return True

        return call

    for name in ("ADMIN", "OPERATOR", "VIEWER"):
        monkeypatch.setenv(f"AIRFLOW_{name}_PASSWORD", f"{SECRET}-{name}")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    monkeypatch.setenv("KAFKA_USERNAME", "airflow")
    monkeypatch.setenv("KAFKA_PASSWORD", SECRET)
    for name in ("migrate_tables", *STEPS):
        monkeypatch.setattr(airflow_setup, name, record(name))
    return called


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (_all_applied, [*STEPS]),
        (_one_missing, ["migrate_tables", *STEPS]),
        (_no_database, ["migrate_tables", *STEPS]),
    ],
)
def test_tables_are_migrated_only_where_a_migration_is_missing(
    monkeypatch: pytest.MonkeyPatch,
    steps: list[str],
    check: Callable[[int], None],
    expected: list[str],
) -> None:
    monkeypatch.setattr(db, "check_migrations", check)
    assert airflow_setup.main() == 0
    assert steps == expected


def test_a_failed_migration_fails_the_setup_before_any_login_is_made(
    monkeypatch: pytest.MonkeyPatch, steps: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(db, "check_migrations", _one_missing)
    monkeypatch.setattr(airflow_setup, "migrate_tables", lambda: False)
    assert airflow_setup.main() == 1
    assert steps == []
    assert "AIRFLOW_DATABASE_URL" in caplog.text
