"""Messages and tables agree: every column has a value, of its type, and nothing is lost."""

from __future__ import annotations

import enum
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.cassandra_rows import (
    ALERTS,
    LABELS,
    MERCHANTS,
    TABLES,
    TRANSACTIONS,
    VERDICTS,
    Table,
    day_of,
    hour_of,
    label_from,
    month_of,
    verdict_from,
)
from fraudwatch.adapters.json_codec import decode
from fraudwatch.application.alerts import ALERT_FIELDS, alert_of
from fraudwatch.domain.fields import columns_of
from fraudwatch.domain.label import LABEL_SCHEMA, Label, Source, Truth
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.stack.migrations import read_migrations
from fraudwatch.testing import a_transaction, a_verdict

MIGRATIONS = Path(__file__).parents[3] / "cassandra" / "migrations"
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS fraudwatch\.(\w+) \((.*)\n\) WITH", re.DOTALL)
_COLUMN = re.compile(
    r"^\s*(\w+) (text|int|bigint|double|timestamp)( PRIMARY KEY)?,?$", re.MULTILINE
)
_KEY = re.compile(r"PRIMARY KEY \(\(([^)]*)\)")
FITTING = {int: {"int", "bigint"}, float: {"double"}, str: {"text"}}

VERDICT = a_verdict(
    outcome=Outcome.DECLINE,
    risk=Risk.CRITICAL,
    score=0.9,
    reasons=(Reason("far", 60, "900 km in 5 minutes — too far."), Reason("new", 5, "New.")),
    decided_at_ms=1_700_000_001_234,
    event_at_ms=1_700_000_000_000,
    category=None,
    merchant_country=None,
    card_last4=None,
)
LABEL = Label(
    schema=LABEL_SCHEMA,
    transaction_id="shop:1",
    verdict=Truth.GENUINE,
    source=Source.CHARGEBACK,
    by="card-office",
    known_at_ms=1_771_070_400_007,
)
PURCHASE = a_transaction(event_at_ms=1_701_388_799_999)


def declared() -> dict[str, tuple[dict[str, str], tuple[str, ...]]]:
    """Per table of the migrations: its columns with their types, and its partition key."""
    tables = {}
    for migration in read_migrations(MIGRATIONS):
        for statement in migration.statements:
            if found := _TABLE.match(statement):
                name, body = found.groups()
                columns = {c: kind for c, kind, _ in _COLUMN.findall(body)}
                shared = _KEY.search(body)
                alone = [c for c, _, is_key in _COLUMN.findall(body) if is_key]
                key = re.split(r",\s*", shared[1]) if shared else alone
                tables[name] = (columns, tuple(key))
    return tables


def test_the_tables_written_are_the_tables_migrated() -> None:
    assert {table.name for table in TABLES} == set(declared())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_a_source_and_every_source_a_column(table: Table) -> None:
    columns, partition = declared()[table.name]
    assert set(table.sources) == set(columns)
    assert table.partition == partition


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_types_agree(table: Table) -> None:
    columns, _ = declared()[table.name]
    # An alert's fields are the verdict's, which know their types.
    message: Any = Verdict if table is ALERTS else table.message
    kinds = {field.name: field.type for field in columns_of(message)}
    for name in table.plain:
        assert columns[name.removesuffix("_ms")] in fitting(name, kinds[name]), name
    assert columns.get("hour_at", "timestamp") == "timestamp"
    assert {columns[name] for name in table.computed if name != "hour_at"} <= {"text"}


def fitting(name: str, kind: Any) -> set[str]:
    if name.endswith("_at_ms"):
        return {"timestamp"}
    if issubclass(kind, enum.StrEnum):
        return {"text"}
    return FITTING[kind]


def test_columns_of_a_verdict_are_never_unknown_so_that_none_of_an_earlier_one_stays() -> None:
    optional = {column.name for column in columns_of(Verdict) if column.is_optional}
    assert optional.isdisjoint(VERDICTS.plain)


def test_an_alert_is_part_of_a_verdict_with_the_same_types() -> None:
    alert = alert_of(VERDICT)
    assert all(getattr(alert, name) == getattr(VERDICT, name) for name in ALERT_FIELDS)


def as_dict(table: Table, message: Any) -> dict[str, Any]:
    return dict(zip([*table.sources, "write timestamp"], table.row(message), strict=True))


def test_a_verdict_row() -> None:
    row = as_dict(VERDICTS, VERDICT)
    assert row["decided_at"] == 1_700_000_001_234
    assert row["write timestamp"] == 1_700_000_001_234_000
    assert (row["outcome"], row["risk"], row["score"]) == ("decline", "CRITICAL", 0.9)
    assert verdict_from(row) == VERDICT
    assert VERDICTS.partition_of(VERDICT) == ("shop:1",)


def test_an_alert_row_lies_in_the_hour_of_its_decision() -> None:
    row = as_dict(ALERTS, alert_of(VERDICT))
    assert row["hour_at"] == 1_699_999_200_000  # 22:00 of 2023-11-14
    assert row["write timestamp"] == 1_700_000_001_234_000
    assert ALERTS.partition_of(alert_of(VERDICT)) == (1_699_999_200_000, "CRITICAL")


def test_a_transaction_row_lies_in_the_month_of_its_event_in_utc() -> None:
    row = as_dict(TRANSACTIONS, PURCHASE)
    assert row["month"] == "2023-11"
    assert row["write timestamp"] == 1_701_388_799_999_000
    assert decode(Transaction, row["purchase"].encode()) == PURCHASE


def test_a_purchase_lies_at_its_merchant_by_day_in_utc_without_the_sealed_box() -> None:
    row = as_dict(MERCHANTS, PURCHASE)
    assert MERCHANTS.partition_of(PURCHASE) == ("merchant-1", "2023-11-30")
    assert row["write timestamp"] == 1_701_388_799_999_000
    told = json.loads(row["purchase"])
    assert "sealed" not in told
    assert told["transaction_id"] == PURCHASE.transaction_id


def test_a_label_says_who_said_it_and_comes_back_whole() -> None:
    row = as_dict(LABELS, LABEL)
    assert row["labelled_by"] == "card-office"
    assert row["write timestamp"] == row["known_at"] * 1_000
    as_read = row | {"known_at": datetime(2026, 2, 14, 12, 0, 0, 7_000)}  # noqa: DTZ001  naive UTC
    assert label_from(as_read) == LABEL


def test_no_verdict_is_ever_written_where_labels_are() -> None:
    # An analyst's word must stand, whatever is judged again.
    assert [table.name for table in TABLES if table.message is Label] == [LABELS.name]
    assert LABELS.name not in {VERDICTS.name, ALERTS.name}


def test_all_but_the_truth_is_a_labels_key_so_that_two_labels_never_mix() -> None:
    columns, _ = declared()[LABELS.name]
    [text] = [
        statement
        for migration in read_migrations(MIGRATIONS)
        for statement in migration.statements
        if LABELS.name in statement
    ]
    key = set(re.findall(r"\w+", text[text.index("PRIMARY KEY") :].split("WITH")[0]))
    assert set(columns) - key == {"verdict"}


def test_buckets_begin_where_they_should() -> None:
    assert day_of(1_701_388_799_999) == "2023-11-30"
    assert day_of(1_701_388_800_000) == "2023-12-01"
    assert hour_of(3_599_999) == 0
    assert hour_of(3_600_000) == 3_600_000
    assert month_of(1_701_388_799_999) == "2023-11"
    assert month_of(1_701_388_800_000) == "2023-12"
