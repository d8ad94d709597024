from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.domain.lake.retention import BrokenRetention, oldest_kept, retention_from, too_old
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.migrations import read_migrations
from spark_jobs.retention.retention_file import load_retention

TODAY = date(2026, 11, 21)


def a_document(**changes: Any) -> dict[str, Any]:
    usual = {
        "version": 1,
        "tables": {"core_labels": {"days": 400, "why": "late chargebacks"}},
        "folders": {"/raw": {"days": 90, "why": "to refine again"}},
        "kept": {"schema_migration": "what was applied"},
    }
    return usual | changes


def test_the_oldest_kept_day_is_as_old_as_the_limit() -> None:
    assert oldest_kept(TODAY, 90) == date(2026, 8, 23)
    names = ["day=2026-08-22", "day=2026-08-23", "day=2025-01-01", "day=x", "2020-01-01", "tmp"]
    assert too_old(names, TODAY, 90) == ["day=2025-01-01", "day=2026-08-22"]


def test_a_policy_names_exactly_the_existing_tables() -> None:
    policy = retention_from(a_document())
    policy.check(["core_labels", "schema_migration"])
    policy.check(["core_labels"])  # what is kept for ever need not be there yet
    with pytest.raises(BrokenRetention, match="out_new is not named; core_labels is no table"):
        policy.check(["out_new", "schema_migration"])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"version": 2}, "version 1"),
        ({"tabels": {}}, "tabels"),
        ({"tables": {"a": {"days": 3, "why": "x"}}}, r"tables\.a\.days"),
        ({"tables": {"a": {"days": True, "why": "x"}}}, r"tables\.a\.days"),
        ({"tables": {"a": {"days": 90}}}, r"tables\.a\.why"),
        ({"tables": ["a"]}, "tables"),
        ({"folders": {"/raw": 90}}, "folders"),
        ({"kept": ["a"]}, "kept"),
        ({"kept": {"core_labels": "both"}}, "core_labels: both"),
    ],
)
def test_an_invalid_policy_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(BrokenRetention, match=text):
        retention_from(a_document(**changes))


def test_an_error_of_the_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "retention.yaml"
    for content in (None, "tables: [", "- a"):
        if content is not None:
            path.write_text(content)
        with pytest.raises(BrokenRetention, match=r"retention\.yaml"):
            load_retention(path)


def test_the_shipped_policy_fits_the_migrations() -> None:
    made = {
        statement.split()[5].removeprefix("fraudwatch.")
        for migration in read_migrations(ROOT / "hive/migrations")
        for statement in migration.statements
        if statement.startswith("CREATE TABLE")
    }
    load_retention(ROOT / "contracts/retention.yaml").check(made)
