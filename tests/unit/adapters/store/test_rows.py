"""Messages and tables agree: every column has a value, of its type, and nothing is lost."""

from __future__ import annotations

import enum
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.store import rows as cassandra_rows
from fraudwatch.adapters.store.alert_tables import ALERT_TABLES, alert_rows, whole_alert_from
from fraudwatch.adapters.store.link_table import LINKS, bucket_of, links_of
from fraudwatch.adapters.store.refund_table import REFUNDS, refund_from
from fraudwatch.adapters.store.rows import (
    ALERTS,
    AUDIT,
    LABELS,
    LABELS_BY_DAY,
    TABLES,
    TRANSACTIONS,
    VERDICTS,
    Table,
    hour_of,
    label_from,
    month_of,
    purchase_from,
    record_from,
    verdict_from,
)
from fraudwatch.application.console.alerts import ALERT_FIELDS, alert_of
from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, AuditAction, AuditRecord
from fraudwatch.domain.messages.fields import columns_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.samples import a_refund, a_token, a_transaction, a_verdict
from fraudwatch.stack.migrations import read_migrations

MIGRATIONS = Path(__file__).parents[4] / "cassandra" / "migrations"
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS fraudwatch\.(\w+) \((.*)\n\) WITH", re.DOTALL)
_COLUMN = re.compile(
    r"^\s*(\w+) (text|int|bigint|double|timestamp)( PRIMARY KEY)?,?$", re.MULTILINE
)
_ADDED = re.compile(r"ALTER TABLE fraudwatch\.(\w+)\s+ADD IF NOT EXISTS \((.*)\)$", re.DOTALL)
_DROPPED = re.compile(r"DROP TABLE IF EXISTS fraudwatch\.(\w+)")
_ONE = re.compile(r"(\w+) (text)\b")
_DROPPED_COLUMNS = re.compile(
    r"ALTER TABLE fraudwatch\.(\w+)\s+DROP IF EXISTS \((.*)\)$", re.DOTALL
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
    verdict=LabelValue.GENUINE,
    source=Source.CHARGEBACK,
    by="card-office",
    known_at_ms=1_771_070_400_007,
)
RECORD = AuditRecord(
    schema=AUDIT_SCHEMA,
    record_id="0" * 32,
    at_ms=1_701_388_799_999,
    deed=AuditAction.REVEALED,
    by="lead",
    reason="the customer calls",
    transaction_id="shop:1",
)
PURCHASE = a_transaction(event_at_ms=1_701_388_799_999)
WRITTEN = (*TABLES, *ALERT_TABLES, LINKS, REFUNDS)
ADAPTERS = Path(cassandra_rows.__file__).parent


def statements() -> list[str]:
    return [
        statement for migration in read_migrations(MIGRATIONS) for statement in migration.statements
    ]


def declared() -> dict[str, tuple[dict[str, str], tuple[str, ...]]]:
    """Per table of the migrations: its columns with their types, and its partition key."""
    tables: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {}
    for statement in statements():
        if found := _TABLE.match(statement):
            name, body = found.groups()
            columns = {c: kind for c, kind, _ in _COLUMN.findall(body)}
            shared = _KEY.search(body)
            alone = [c for c, _, is_key in _COLUMN.findall(body) if is_key]
            key = re.split(r",\s*", shared[1]) if shared else alone
            tables[name] = (columns, tuple(key))
        elif found := _ADDED.match(statement):
            tables[found[1]][0].update(_ONE.findall(found[2]))
        elif found := _DROPPED_COLUMNS.match(statement):
            for name in found[2].split(", "):
                del tables[found[1]][0][name]
        elif found := _DROPPED.match(statement):
            del tables[found[1]]
    return tables


def test_the_tables_written_are_the_tables_migrated() -> None:
    others = set(declared()) - {table.name for table in WRITTEN}
    assert len(others) == len(declared()) - len(WRITTEN)
    # Those that hold no message have an adapter of their own.
    sources = "".join(path.read_text() for path in ADAPTERS.glob("*.py"))
    named = {name for name in others if f".{name}" in sources or f'"{name}"' in sources}
    assert others - named == set()


@pytest.mark.parametrize("table", WRITTEN, ids=lambda table: table.name)
def test_every_column_has_a_source_and_every_source_a_column(table: Table) -> None:
    columns, partition = declared()[table.name]
    assert set(table.sources) == set(columns)
    assert table.partition == partition


@pytest.mark.parametrize("table", WRITTEN, ids=lambda table: table.name)
def test_types_agree(table: Table) -> None:
    columns, _ = declared()[table.name]
    # An alert's fields are the verdict's, and a link's the purchase's, which know their types.
    message: Any = Verdict if table in (ALERTS, *ALERT_TABLES) else table.message
    message = Transaction if table is LINKS else message
    kinds = {"rule": str, "shared": str, "shared_token": str} | {
        field.name: field.type for field in columns_of(message)
    }
    for name in table.plain:
        assert columns[name.removesuffix("_ms")] in fitting(name, kinds[name]), name
    assert columns.get("hour_at", "timestamp") == "timestamp"
    assert {columns[name] for name in table.computed if name != "hour_at"} <= {"text"}


def fitting(name: str, kind: Any) -> set[str]:
    if name.endswith("at_ms"):
        return {"timestamp"}
    if issubclass(kind, enum.StrEnum):
        return {"text"}
    return FITTING[kind]


def test_columns_of_a_verdict_are_never_null_so_that_none_of_an_earlier_one_stays() -> None:
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
    assert VERDICTS.partition_in(VERDICTS.row(VERDICT)) == ("shop:1",)


def test_an_alert_row_is_in_the_hour_of_its_decision() -> None:
    row = as_dict(ALERTS, alert_of(VERDICT))
    assert row["hour_at"] == 1_699_999_200_000  # 22:00 of 2023-11-14
    assert row["write timestamp"] == 1_700_000_001_234_000
    assert ALERTS.partition_in(ALERTS.row(alert_of(VERDICT))) == (1_699_999_200_000, "CRITICAL")


def test_a_transaction_row_is_in_the_utc_month_of_its_event() -> None:
    row = as_dict(TRANSACTIONS, PURCHASE)
    assert row["month"] == "2023-11"
    assert row["write timestamp"] == 1_701_388_799_999_000
    assert purchase_from(row) == PURCHASE


def test_a_purchase_has_a_link_at_each_token_that_is_known() -> None:
    bought = replace(PURCHASE, card_token=a_token("c"), ip_network_token=a_token("d"))
    links = list(links_of(replace(bought, device_token=None)))
    rows = [as_dict(LINKS, link) for link in links]
    assert [(row["shared"], row["shared_token"]) for row in rows] == [
        ("card_token", a_token("c")),
        ("ip_network_token", a_token("d")),
    ]
    for row in rows:
        assert row["event_at"] == PURCHASE.event_at_ms
        assert row["transaction_id"] == PURCHASE.transaction_id
        assert row["customer_token"] == PURCHASE.customer_token
        assert row["write timestamp"] == PURCHASE.event_at_ms * 1_000


def test_a_refund_is_at_its_purchase_and_is_read_back_whole() -> None:
    refund = a_refund()
    row = as_dict(REFUNDS, refund)
    assert REFUNDS.partition_in(REFUNDS.row(refund)) == ("shop:1",)
    assert row["write timestamp"] == refund.refunded_at_ms * 1_000
    assert refund_from(row) == refund


def test_a_token_has_one_partition_a_utc_day_in_every_process() -> None:
    at_ms = 1_701_388_799_999  # the last millisecond of a day
    assert bucket_of(a_token("c"), at_ms) == "2023-11-30:57"
    assert bucket_of(a_token("c"), at_ms + 1) == "2023-12-01:57"
    shares = {bucket_of(a_token(one), at_ms)[-2:] for one in "abcdefghijklmnopqrstuvwxyz"}
    assert len(shares) > 20


def test_an_alert_is_at_its_customer_its_merchant_and_each_of_its_rules() -> None:
    late = alert_of(replace(VERDICT, decided_at_ms=1_701_388_799_999))
    rows = [
        (table.partition_in(table.row(content)), content) for table, content in alert_rows(late)
    ]
    assert [partition for partition, _ in rows] == [
        (1_701_385_200_000, "CRITICAL"),
        (VERDICT.customer_token, "2023-11"),
        ("merchant-1", "2023-11-30"),
        ("far", "2023-11-30"),
        ("new", "2023-11-30"),
    ]


@pytest.mark.parametrize("table", ALERT_TABLES, ids=lambda table: table.name)
def test_an_alert_is_read_back_whole(table: Table) -> None:
    alert = alert_of(VERDICT)
    content = next(content for one, content in alert_rows(alert) if one is table)
    row = as_dict(table, content)
    assert whole_alert_from(row) == alert
    assert row["decided_at"] == 1_700_000_001_234
    assert row["write timestamp"] == 1_700_000_001_234_000


def test_a_rule_with_two_reasons_has_one_row() -> None:
    twice = replace(VERDICT, reasons=(Reason("far", 60, "One."), Reason("far", 5, "Two.")))
    assert [table.name for table, _ in alert_rows(alert_of(twice))].count("alert_by_rule") == 1


@pytest.mark.parametrize("table", [LABELS, LABELS_BY_DAY], ids=lambda table: table.name)
@pytest.mark.parametrize("note", [None, "He called: he knows “nothing” of it."])
def test_a_label_has_its_author_and_is_read_back_whole(table: Table, note: str | None) -> None:
    label = replace(LABEL, note=note)
    row = as_dict(table, label)
    assert row["labelled_by"] == "card-office"
    as_read = row | {"known_at": datetime(2026, 2, 14, 12, 0, 0, 7_000)}  # noqa: DTZ001  naive UTC
    assert label_from(as_read) == label


def test_a_label_of_before_there_were_notes_has_none() -> None:
    as_read = as_dict(LABELS, LABEL) | {"known_at": datetime(2026, 2, 14), "note": None}  # noqa: DTZ001  naive UTC
    assert label_from(as_read).note is None


def test_a_label_is_at_the_utc_day_since_when_it_is_known() -> None:
    late = replace(LABEL, known_at_ms=1_701_388_799_999)
    assert LABELS_BY_DAY.partition_in(LABELS_BY_DAY.row(late)) == ("2023-11-30",)
    assert LABELS.partition_in(LABELS.row(late)) == ("shop:1",)


@pytest.mark.parametrize("table", [LABELS, LABELS_BY_DAY], ids=lambda table: table.name)
def test_of_two_labels_of_one_instant_the_greater_value_wins(table: Table) -> None:
    written_at_us = [table.row(replace(LABEL, verdict=truth))[-1] for truth in sorted(LabelValue)]
    first_us = LABEL.known_at_ms * 1_000
    assert written_at_us == [first_us, first_us + 1, first_us + 2]


def test_an_audit_record_is_at_its_day_and_is_read_back_whole() -> None:
    row = as_dict(AUDIT, RECORD)
    assert AUDIT.partition_in(AUDIT.row(RECORD)) == ("2023-11-30",)
    assert (row["at"], row["record_id"]) == (1_701_388_799_999, "0" * 32)
    assert row["write timestamp"] == 1_701_388_799_999_000
    assert record_from(row) == RECORD


def test_no_verdict_is_ever_written_where_labels_are() -> None:
    # An analyst's word must stand, whatever is judged again.
    of_labels = [table.name for table in TABLES if table.message is Label]
    assert of_labels == ["label_by_transaction", "label_by_day"]


@pytest.mark.parametrize("table", [LABELS, LABELS_BY_DAY], ids=lambda table: table.name)
def test_all_but_the_value_is_a_labels_key_so_that_two_labels_never_mix(table: Table) -> None:
    columns, _ = declared()[table.name]
    [text] = [one for one in statements() if f"EXISTS fraudwatch.{table.name} (" in one]
    key = set(re.findall(r"\w+", text[text.index("PRIMARY KEY") :].split("WITH")[0]))
    assert set(columns) - key == {"verdict", "note"}


def test_buckets_begin_where_they_should() -> None:
    assert day_of(1_701_388_799_999) == "2023-11-30"
    assert day_of(1_701_388_800_000) == "2023-12-01"
    assert hour_of(3_599_999) == 0
    assert hour_of(3_600_000) == 3_600_000
    assert month_of(1_701_388_799_999) == "2023-11"
    assert month_of(1_701_388_800_000) == "2023-12"
