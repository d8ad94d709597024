from __future__ import annotations

import re

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.lake import (
    CORE_JOB_OUTCOMES,
    CORE_LABELS,
    CORE_REFUNDS,
    CORE_TRANSACTIONS,
    CORE_VERDICTS,
    DATABASE,
)
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.lake_setup import COLUMN_EXISTS, MIGRATIONS_FOLDER
from fraudwatch.stack.migrations import read_migrations
from spark_jobs.refine.spark_schema import struct_of

RIGHTS = ROOT / "hive/rights.conf"

REPORT_VIEWS = sorted(
    set(re.findall(rf"^reports +{DATABASE}\.(report_\w+)$", RIGHTS.read_text(), re.MULTILINE))
)

# Fields that no core table stores: personal, long, or useful only beside the purchase itself.
LEFT_OUT = {
    Label: {"note"},
    Verdict: {
        "reasons", "explanation", "amount_minor", "currency", "card_last4", "model_scores",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "message", "more"),
    [
        (CORE_TRANSACTIONS, Transaction, {"origin": "string", "event_on": "date"}),
        (CORE_JOB_OUTCOMES, JobOutcome, {"ended_on": "date"}),
        (CORE_LABELS, Label, {"known_on": "date"}),
        (CORE_REFUNDS, Refund, {"purchased_on": "date"}),
        (
            CORE_VERDICTS,
            Verdict,
            {
                "rules": "array<struct<rule:string,points:bigint>>",
                "model_scores": "array<struct<model:string,version:string,score:double>>",
                # As Kafka counts its partitions.
                "source_partition": "int",
                "event_on": "date",
            },
        ),
    ],
)
def test_a_table_has_the_columns_of_its_message(
    spark: SparkSession, table: str, message: type, more: dict[str, str]
) -> None:
    wanted = {
        field.name: field.dataType.simpleString()
        for field in struct_of(message)
        if field.name not in LEFT_OUT.get(message, ())
    }
    assert dict(spark.table(table).dtypes) == wanted | more


@pytest.mark.parametrize("view", REPORT_VIEWS)
def test_a_view_for_reports_has_no_personal_column(spark: SparkSession, view: str) -> None:
    columns = spark.table(view).columns
    private = {"sealed", "card_bin", "card_last4", "by", "examples", "key", "value_bytes", "state"}
    assert not private.intersection(columns)
    assert not [name for name in columns if "token" in name or "itude" in name]


def test_every_view_is_listed_for_reports(spark: SparkSession) -> None:
    views = {row.viewName for row in spark.sql("SHOW VIEWS").collect() if not row.isTemporary}
    assert views == set(REPORT_VIEWS)


def test_columns_that_a_killed_setup_added_are_recognised(spark: SparkSession) -> None:
    added = [
        statement
        for migration in read_migrations(MIGRATIONS_FOLDER)
        for statement in migration.statements
        if "ADD COLUMNS" in statement
    ]
    assert added
    for statement in added:
        with pytest.raises(AnalysisException) as refused:
            spark.sql(statement)
        assert COLUMN_EXISTS in str(refused.value)
