from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fraudwatch import lake
from fraudwatch.adapters.lake_folders import LakeFolders
from fraudwatch.adapters.retention_file import load_retention
from fraudwatch.domain.retention import BrokenRetention, Retention
from fraudwatch.settings import LakeSettings
from fraudwatch.stack.place import ROOT
from spark_jobs.enforce_retention import Enforcement

TODAY = date(2019, 7, 1)  # before every other test's days, so that nothing of theirs is old
POLICY = load_retention(ROOT / "contracts/retention.yaml")


def enforced(
    spark: SparkSession, settings: LakeSettings, policy: Retention = POLICY, *, dry: bool = False
) -> Mapping[str, int]:
    return Enforcement(spark, settings, policy, TODAY, dry).run()


def days(spark: SparkSession) -> list[date]:
    rows = spark.table(lake.CORE_REJECTED_PURCHASES).where("event_on < DATE'2020-01-01'").collect()
    return sorted(row.event_on for row in rows)


def test_what_is_too_old_goes_and_only_that(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    first = TODAY - timedelta(days=90)
    older = first - timedelta(days=1)
    for day in (first, older, older, date(2018, 1, 1)):
        spark.sql(f"INSERT INTO {lake.CORE_REJECTED_PURCHASES} VALUES ('x', 'c', 'r', DATE'{day}')")  # noqa: S608  our names
    extract = Path(lake_settings.file_system.removeprefix("file://") + lake.EXTRACT_FOLDER)
    mine = (f"day={first}", f"day={older}", "day=unknown", "other")
    for name in mine:
        (extract / name).mkdir(parents=True)
        (extract / name / "a.jsonl").write_text("{}")

    expected = {lake.CORE_REJECTED_PURCHASES: 3, lake.EXTRACT_FOLDER: 1}
    assert enforced(spark, lake_settings, dry=True) == expected
    assert len(days(spark)) == 4
    assert enforced(spark, lake_settings) == expected
    assert days(spark) == [first]
    assert [name for name in mine if (extract / name).exists()] == [mine[0], *mine[2:]]
    spark.sql(f"DELETE FROM {lake.CORE_REJECTED_PURCHASES} WHERE event_on = DATE'{first}'")  # noqa: S608  our names


def test_a_table_nobody_named_stops_everything(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    spark.sql("CREATE TABLE forgotten (x INT, on_day DATE) USING delta PARTITIONED BY (on_day)")
    try:
        with pytest.raises(BrokenRetention, match="forgotten is not named"):
            enforced(spark, lake_settings)
    finally:
        spark.sql("DROP TABLE forgotten")


def test_a_name_without_a_table_stops_everything(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    more = Retention({**POLICY.tables, "core_ghost": 90}, POLICY.folders, POLICY.kept)
    with pytest.raises(BrokenRetention, match="core_ghost is no table"):
        enforced(spark, lake_settings, more)


def test_a_table_without_days_stops_everything(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    spark.sql("CREATE TABLE dayless (x INT) USING delta")
    more = Retention({**POLICY.tables, "dayless": 90}, POLICY.folders, POLICY.kept)
    try:
        with pytest.raises(BrokenRetention, match="dayless is not partitioned by one day"):
            enforced(spark, lake_settings, more)
    finally:
        spark.sql("DROP TABLE dayless")


def test_a_folder_that_is_not_there_holds_nothing(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    assert LakeFolders(spark).names(lake_settings.at("/nowhere")) == []


def test_a_day_that_has_not_come_stops_everything(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    with pytest.raises(BrokenRetention, match="has not come yet"):
        Enforcement(spark, lake_settings, POLICY, date(2999, 1, 1)).run()
