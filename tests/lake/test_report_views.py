"""The views for viewers and exports have no row of fewer than ten customers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from pyspark.sql import Row, SparkSession

from fraudwatch import lake

MONDAY = date(2032, 3, 1)  # this file's own week
LEAST = 10
# Country: customers of each day, and of the week.
CELLS = {
    "DE": ([30, 20, 12], 50),  # shown by day
    "FR": ([30, 9, 12], 40),  # one day is too thin, so the week is one row
    "NL": ([4, 5, 3], 11),  # only the week has enough
    "MT": ([4, 5, 3], 9),  # nothing has
}


@pytest.fixture(scope="module")
def shown(spark: SparkSession) -> Iterator[list[Row]]:
    rows = [
        # A later build knows more of the week.
        (MONDAY + timedelta(days=day), "m", country, customers, min(week, customers + 10 * day),
         7, 1)
        if day < len(days) - 1
        else (MONDAY + timedelta(days=day), "m", country, customers, week, 7, 1)
        for country, (days, week) in CELLS.items()
        for day, customers in enumerate(days)
    ]  # fmt: skip
    columns = (
        "event_on DATE, source STRING, merchant_country STRING, customers BIGINT, "
        "customers_of_week BIGINT, purchases BIGINT, alerts BIGINT"
    )
    table = f"{lake.DATABASE}.{lake.OUT_FRAUD_BY_COUNTRY}"
    spark.createDataFrame(rows, columns).writeTo(table).append()
    # Rows from before customers were counted are shown to nobody.
    old = "event_on DATE, merchant_country STRING, purchases BIGINT"
    spark.createDataFrame([(MONDAY, "XX", 500)], old).writeTo(table).append()
    found = spark.table(f"{lake.DATABASE}.report_fraud_by_country")
    yield found.where(f"event_on >= '{MONDAY}'").orderBy("event_on").collect()
    spark.sql(f"DELETE FROM {table} WHERE event_on >= '{MONDAY}'")  # noqa: S608  our names


def test_cells_are_shown_by_day_by_week_or_not_at_all(shown: list[Row]) -> None:
    by_country: dict[str, list[tuple[str, int, int]]] = {}
    for row in shown:
        found = (row.period, row.purchases, row.customers)
        by_country.setdefault(row.merchant_country, []).append(found)
    assert by_country == {
        "DE": [("day", 7, 30), ("day", 7, 20), ("day", 7, 12)],
        "FR": [("week", 21, 40)],
        "NL": [("week", 21, 11)],
    }


def test_every_view_for_viewers_has_enough_customers_in_each_row(
    spark: SparkSession, shown: list[Row]
) -> None:
    assert min(row.customers for row in shown) >= LEAST
    names = {row.viewName for row in spark.sql(f"SHOW VIEWS IN {lake.DATABASE}").collect()}
    viewed = {
        "report_fraud_by_day", "report_fraud_by_country", "report_fraud_by_merchant",
        "report_fraud_by_category", "report_rule_performance", "report_money",
    }  # fmt: skip
    assert viewed <= names
    for name in viewed:
        rows = spark.table(f"{lake.DATABASE}.{name}")
        assert "customers" in rows.columns
        assert rows.where(f"customers < {LEAST}").count() == 0
