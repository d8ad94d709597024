"""Enforce retention: delete lake data older than ``contracts/retention.yaml`` allows.

Deletes each table's expired days by its partition column, in one commit; then VACUUM removes the
files that no version of the last 7 days needs. Until then a deleted row can still be read as an old
version: it is gone for good with the first run 7 days after it was deleted. Expired day folders of
the extract are removed at once. A second run on the same day finds nothing to do.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.lake.commit import LakeBusy, commit
from fraudwatch.adapters.lake.outcomes import append_outcomes, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.lake.retention import BrokenRetention, Retention, oldest_kept, too_old
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.print_outcomes import print_outcomes
from spark_jobs.retention.lake_folders import LakeFolders
from spark_jobs.retention.recent_days import days_decided_since
from spark_jobs.retention.retention_file import load_retention

JOB = "enforce_retention"
EXAMPLE = "Example: spark-submit spark_jobs/retention/enforce_retention.py --dry-run"
POLICY = Path(__file__).parents[2] / "contracts/retention.yaml"

log = logging.getLogger(JOB)


@dataclass(frozen=True, slots=True)
class Enforcement:
    """Retention run over the lake."""

    spark: SparkSession
    settings: LakeSettings
    policy: Retention
    today: date
    is_dry_run: bool = False

    def run(self) -> dict[str, int]:
        """Delete expired data; return rows by table and folders by parent (dry run: only counted).

        Raises:
            BrokenRetention: the retention policy does not match the lake; nothing was deleted.
        """
        if self.today > datetime.now(UTC).date():
            raise BrokenRetention(
                f"{self.today} is in the future, so data within its retention would count as "
                "expired; nothing was deleted: use today or an earlier day"
            )
        existing = self._existing()
        self.policy.check(existing)
        columns = {table: self._day_column(table) for table in self.policy.tables}
        deleted = {
            table: self._delete_rows(table, columns[table], days)
            for table, days in self.policy.tables.items()
        }
        for table in () if self.is_dry_run else sorted(self.policy.kept.intersection(existing)):
            self.spark.sql(f"VACUUM {lake.DATABASE}.{table}")
        for folder, days in self.policy.folders.items():
            deleted[folder] = self._delete_folders(folder, days)
        return {name: count for name, count in deleted.items() if count}

    def _existing(self) -> list[str]:
        # The catalogue's own listing would load all metadata of each table.
        tables = self.spark.sql(f"SHOW TABLES IN {lake.DATABASE}").collect()
        views = self.spark.sql(f"SHOW VIEWS IN {lake.DATABASE}").collect()
        names = {table.tableName for table in tables if not table.isTemporary}
        return sorted(names - {view.viewName for view in views})

    def _day_column(self, table: str) -> str:
        detail: Any = self.spark.sql(f"DESCRIBE DETAIL {lake.DATABASE}.{table}").first()
        types = dict(self.spark.table(f"{lake.DATABASE}.{table}").dtypes)
        days = [name for name in detail.partitionColumns if types[name] == "date"]
        if len(days) != 1:
            raise BrokenRetention(
                f"{table} is not partitioned by one day, so the age of its rows is unknown and "
                "nothing was deleted; partition it by a DATE, or list it under kept:"
            )
        return str(days[0])

    def _delete_rows(self, table: str, column: str, days: int) -> int:
        name, first = f"{lake.DATABASE}.{table}", oldest_kept(self.today, days)
        found = self.spark.table(name).where(F.col(column) < F.lit(first))
        expired = f"{column} < DATE'{first}'"
        if (old := found.count()) and (recent := days_decided_since(self.spark, column, first)):
            listed = ", ".join(f"DATE'{day}'" for day in recent)
            expired += f" AND {column} NOT IN ({listed})"
            log.info("%s: %d days from before %s were scored since", table, len(recent), first)
            old = found.where(expired).count()
        if old:
            log.info("%s: %d rows from before %s", table, old, first)
        if self.is_dry_run:
            return old
        if old:
            statement = f"DELETE FROM {name} WHERE {expired}"  # noqa: S608  our names
            commit(lambda: self.spark.sql(statement), name)
        self.spark.sql(f"VACUUM {name}")
        return old

    def _delete_folders(self, folder: str, days: int) -> int:
        folders, address = LakeFolders(self.spark), self.settings.at(folder)
        old = too_old(folders.names(address), self.today, days)
        for name in old:
            log.info("%s/%s", folder, name)
            if not self.is_dry_run:
                folders.remove(f"{address}/{name}")
        return len(old)


def main() -> int:
    """Run the job once, print its outcome and return the exit code."""
    arguments = _parse_arguments()
    configure_logging(JOB)
    began_at_ms, settings = time.time_ns() // 1_000_000, LakeSettings()
    try:
        policy = load_retention(arguments.policy)
        spark = open_lake(settings, JOB)
        deleted = Enforcement(spark, settings, policy, arguments.today, arguments.dry_run).run()
        outcomes = [outcome_of(JOB, counted(deleted), began_at_ms=began_at_ms)]
        if not arguments.dry_run:
            append_outcomes(spark, outcomes)
    except (BrokenRetention, LakeBusy) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return 1
    print_outcomes(outcomes, as_json=arguments.json)
    return 0


def counted(deleted: dict[str, int]) -> CountedRows:
    """Count deleted rows and folders as rejected, by table or folder."""
    return CountedRows(rows_in=sum(deleted.values()), rejected=deleted)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=JOB, description=__doc__, epilog=EXAMPLE)
    parser.add_argument(
        "--today", type=date.fromisoformat, default=datetime.now(UTC).date(), help="YYYY-MM-DD, UTC"
    )
    parser.add_argument("--dry-run", action="store_true", help="count only; delete nothing")
    parser.add_argument("--policy", type=Path, default=POLICY, help="another retention.yaml")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
