from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fraudwatch import lake
from fraudwatch.domain.lake.retention import BrokenRetention, Retention
from fraudwatch.settings import LakeSettings
from fraudwatch.stack.home import ROOT
from spark_jobs.retention.enforce_retention import Enforcement
from spark_jobs.retention.lake_folders import LakeFolders
from spark_jobs.retention.retention_file import load_retention

TODAY = date(2019, 7, 1)  # before every other test's days, so that none of their data is expired
POLICY = load_retention(ROOT / "contracts/retention.yaml")
# VACUUM and two looks at each of the lake's tables are what a whole run costs: few tables do.
SMALL = "retention_test"
SMALL_POLICY = Retention({"by_day": 90}, {lake.EXTRACT_FOLDER: 90}, frozenset({"kept"}))


@pytest.fixture
def small(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database of two tables in the place of the lake's."""
    spark.sql(f"CREATE DATABASE {SMALL}")
    spark.sql(
        f"CREATE TABLE {SMALL}.by_day (x STRING, on_day DATE) USING delta PARTITIONED BY (on_day)"
    )
    spark.sql(f"CREATE TABLE {SMALL}.kept (x STRING) USING delta")
    monkeypatch.setattr(lake, "DATABASE", SMALL)
    yield
    spark.sql(f"DROP DATABASE {SMALL} CASCADE")


def enforced(
    spark: SparkSession, settings: LakeSettings, policy: Retention = POLICY, *, dry: bool = False
) -> Mapping[str, int]:
    return Enforcement(spark, settings, policy, TODAY, dry).run()


@pytest.mark.usefixtures("small")
def test_what_is_too_old_goes_and_only_that(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    first = TODAY - timedelta(days=90)
    older = first - timedelta(days=1)
    rows = ", ".join(f"('x', DATE'{day}')" for day in (first, older, older, date(2018, 1, 1)))
    spark.sql(f"INSERT INTO {SMALL}.by_day VALUES {rows}")  # noqa: S608  our names
    spark.sql(f"INSERT INTO {SMALL}.kept VALUES ('x')")  # noqa: S608  our names
    extract = Path(lake_settings.file_system.removeprefix("file://") + lake.EXTRACT_FOLDER)
    folders = (f"day={first}", f"day={older}", "day=unknown", "other")
    for name in folders:
        (extract / name).mkdir(parents=True)
        (extract / name / "a.jsonl").write_text("{}")

    def days() -> list[date]:
        return sorted(row.on_day for row in spark.table(f"{SMALL}.by_day").collect())

    expected = {"by_day": 3, lake.EXTRACT_FOLDER: 1}
    assert enforced(spark, lake_settings, SMALL_POLICY, dry=True) == expected
    assert len(days()) == 4
    assert enforced(spark, lake_settings, SMALL_POLICY) == expected
    assert days() == [first]
    assert spark.table(f"{SMALL}.kept").count() == 1
    assert [name for name in folders if (extract / name).exists()] == [folders[0], *folders[2:]]
    assert enforced(spark, lake_settings, SMALL_POLICY) == {}, "a second run finds nothing to do"


@pytest.mark.usefixtures("small")
def test_a_replayed_year_is_kept_from_the_day_on_which_it_was_scored(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    """Days of 2012: one replayed yesterday, one replayed long ago, one that was never scored."""
    replayed, forgotten, unscored = (date(2012, 3, day) for day in (1, 2, 3))
    known_on = date(2012, 4, 1)
    yesterday_ms, long_ago_ms = (
        int(datetime.combine(day, time(), UTC).timestamp() * 1000)
        for day in (TODAY - timedelta(days=1), TODAY - timedelta(days=91))
    )
    for table, columns in (
        (lake.CORE_VERDICTS, "transaction_id STRING, decided_at_ms BIGINT, event_on DATE"),
        ("purchases", "transaction_id STRING, event_on DATE"),
        (lake.CORE_LABELS, "transaction_id STRING, known_on DATE"),
    ):
        day = columns.split()[-2]
        spark.sql(f"CREATE TABLE {SMALL}.{table} ({columns}) USING delta PARTITIONED BY ({day})")
    spark.sql(
        f"INSERT INTO {SMALL}.{lake.CORE_VERDICTS} VALUES "  # noqa: S608  our names
        f"('a', {yesterday_ms}, DATE'{replayed}'), ('b', {long_ago_ms}, DATE'{forgotten}')"
    )
    spark.sql(
        f"INSERT INTO {SMALL}.purchases VALUES ('a', DATE'{replayed}'), "  # noqa: S608  our names
        f"('b', DATE'{forgotten}'), ('c', DATE'{unscored}')"
    )
    spark.sql(
        f"INSERT INTO {SMALL}.{lake.CORE_LABELS} VALUES ('a', DATE'{known_on}'), "  # noqa: S608  our names
        f"('b', DATE'{date(2012, 4, 2)}')"
    )
    # In the order in which a policy may name them: verdicts are evidence until they go themselves.
    names = (lake.CORE_VERDICTS, "purchases", lake.CORE_LABELS)
    policy = Retention(dict.fromkeys(names, 90), {}, frozenset({"kept", "by_day"}))
    expected = {lake.CORE_VERDICTS: 1, "purchases": 2, lake.CORE_LABELS: 1}
    assert enforced(spark, lake_settings, policy, dry=True) == expected
    assert enforced(spark, lake_settings, policy) == expected
    for name in names:
        assert [row.transaction_id for row in spark.table(f"{SMALL}.{name}").collect()] == ["a"]
    assert enforced(spark, lake_settings, policy) == {}
    later = Enforcement(spark, lake_settings, policy, TODAY + timedelta(days=91))
    assert later.run() == dict.fromkeys(names, 1), "as old as what was scored with it"


def test_the_policy_fits_every_table_of_the_lake(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    table, old = lake.CORE_REJECTED_PURCHASES, date(2018, 1, 1)
    spark.sql(f"INSERT INTO {table} VALUES ('x', 'c', 'r', DATE'{old}')")  # noqa: S608  our names
    try:
        assert enforced(spark, lake_settings, dry=True) == {table: 1}
    finally:
        spark.sql(f"DELETE FROM {table} WHERE event_on = DATE'{old}'")  # noqa: S608  our names


def test_the_policy_matches_every_table_of_the_lake(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    table, old = lake.CORE_REJECTED_PURCHASES, date(2018, 1, 1)
    spark.sql(f"INSERT INTO {table} VALUES ('x', 'c', 'r', DATE'{old}')")  # noqa: S608  our names
    try:
        assert enforced(spark, lake_settings, dry=True) == {table: 1}
    finally:
        spark.sql(f"DELETE FROM {table} WHERE event_on = DATE'{old}'")  # noqa: S608  our names


def test_a_table_missing_from_the_policy_stops_the_run(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    spark.sql("CREATE TABLE forgotten (x INT, on_day DATE) USING delta PARTITIONED BY (on_day)")
    try:
        with pytest.raises(BrokenRetention, match="forgotten is not named"):
            enforced(spark, lake_settings)
    finally:
        spark.sql("DROP TABLE forgotten")


def test_a_name_without_a_table_stops_the_run(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    more = Retention({**POLICY.tables, "core_ghost": 90}, POLICY.folders, POLICY.kept)
    with pytest.raises(BrokenRetention, match="core_ghost is no table"):
        enforced(spark, lake_settings, more)


@pytest.mark.usefixtures("small")
def test_a_table_without_days_stops_everything(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    more = Retention({"by_day": 90, "kept": 90}, SMALL_POLICY.folders, frozenset())
    with pytest.raises(BrokenRetention, match="kept is not partitioned by one day"):
        enforced(spark, lake_settings, more)


def test_a_missing_folder_is_empty(spark: SparkSession, lake_settings: LakeSettings) -> None:
    assert LakeFolders(spark).names(lake_settings.at("/nowhere")) == []


def test_a_future_day_stops_the_run(spark: SparkSession, lake_settings: LakeSettings) -> None:
    with pytest.raises(BrokenRetention, match="is in the future"):
        Enforcement(spark, lake_settings, POLICY, date(2999, 1, 1)).run()
