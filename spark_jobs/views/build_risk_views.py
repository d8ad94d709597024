"""Build the risk view of an hour from purchases and labels, and publish it for the detector.

Reads core_transactions and core_labels (labels known before the hour ended), replaces the hour's
rows in core_risk_views, deletes rows of hours that the detector no longer uses, and writes the view
to VIEWS_FOLDER, from where the detector hot-reloads it between two micro-batches. Rebuilding an
hour from the same rows gives the same file.

Example: spark-submit spark_jobs/views/build_risk_views.py --until 2026-11-21T10:00
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.artefacts.view_publication import publish
from fraudwatch.adapters.lake.commit import LakeBusy, commit
from fraudwatch.adapters.lake.outcomes import append_outcomes, code_version, run_id
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.domain.views.catalogue import (
    KEPT_MS,
    Entity,
    view_columns,
)
from fraudwatch.domain.views.view import EntityTable, RiskView, table_of
from fraudwatch.lake import CORE_LABELS, CORE_RISK_VIEWS, CORE_TRANSACTIONS, DATABASE
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LabelSettings, LakeSettings, ViewsSettings
from spark_jobs.views.rows import ViewHour, risk_view_rows

JOB = "build_risk_views"
log = logging.getLogger(JOB)


@dataclass(frozen=True, slots=True)
class ViewReport:
    """Result of a run, as it is printed."""

    until: str
    sha256: str
    purchases: int
    labels: int
    rows: int
    seconds: float


def build(spark: SparkSession, hour: ViewHour, folder: Path) -> ViewReport:
    """Build, store and publish the view of an hour; idempotent by hour and label delay."""
    began_at_ms, until_ms = _now_ms(), hour.until_ms
    purchases, labels = spark.table(CORE_TRANSACTIONS), spark.table(CORE_LABELS)
    rows = risk_view_rows(purchases, labels, hour)
    log.info("building the view of what was known before %s", _iso(until_ms))
    write(rows, until_ms)
    # Publish the stored rows, not a second computation of them.
    built = spark.table(CORE_RISK_VIEWS).where(F.col("built_until_ms") == until_ms)
    view = view_of_rows(built, hour)
    sha256 = publish(folder, view)
    report = ViewReport(
        until=_iso(until_ms),
        sha256=sha256,
        purchases=purchases.where(F.col("event_at_ms") < until_ms).count(),
        labels=labels.where(F.col("known_at_ms") < until_ms).count(),
        rows=built.count(),
        seconds=round((_now_ms() - began_at_ms) / 1000, 1),
    )
    append_outcomes(spark, [_outcome(report, hour, began_at_ms)])
    return report


def write(rows: DataFrame, until_ms: int) -> None:
    """Replace the hour's rows in one commit, and delete those of expired hours."""
    writer = rows.write.format("delta").mode("overwrite")
    writer = writer.option("replaceWhere", f"built_until_ms = {int(until_ms)}")
    commit(lambda: writer.saveAsTable(CORE_RISK_VIEWS), CORE_RISK_VIEWS)
    spark = rows.sparkSession
    newest = spark.table(CORE_RISK_VIEWS).agg(F.max("built_until_ms")).first()
    oldest_ms = (newest[0] if newest and newest[0] is not None else until_ms) - KEPT_MS
    spark.sql(
        f"DELETE FROM {CORE_RISK_VIEWS} WHERE built_until_ms <= {int(oldest_ms)}"  # noqa: S608  our name, a number
    )


def view_of_rows(built: DataFrame, hour: ViewHour) -> RiskView:
    """Convert the rows of one hour to a risk view; NULL becomes unknown."""
    tables = {entity: _table(built, entity) for entity in Entity}
    return RiskView(hour.until_ms, tables, hour.label_delay_ms)


def _table(built: DataFrame, entity: Entity) -> EntityTable:
    columns = [F.col(name).cast("double").alias(name) for name in view_columns(entity)]
    rows = built.where(F.col("entity") == F.lit(str(entity))).select("entity_id", *columns)
    arrow = rows.toArrow()
    values = [arrow.column(name).to_numpy(zero_copy_only=False) for name in view_columns(entity)]
    return table_of(
        arrow.column("entity_id").to_pylist(), np.stack(values, axis=1).astype(np.float64)
    )


def _outcome(report: ViewReport, hour: ViewHour, began_at_ms: int) -> JobOutcome:
    return JobOutcome(
        run_id=run_id(),
        job=JOB,
        from_ms=hour.reach_ms,
        until_ms=hour.until_ms,
        rows_in=report.purchases + report.labels,
        rows_out=report.rows,
        rows_rejected=0,
        began_at_ms=began_at_ms,
        ended_at_ms=_now_ms(),
        code_version=code_version(),
    )


def until_ms_of(text: str | None, now_ms: int) -> int:
    """Parse the end of the requested hour; default: the last whole hour.

    Raises:
        ValueError: it is not a whole hour, or the hour is not over.
    """
    if text is None:
        return now_ms // HOUR_MS * HOUR_MS
    instant = datetime.fromisoformat(text)
    until_ms = epoch_ms_of(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    if until_ms % HOUR_MS or until_ms > now_ms:
        raise ValueError(f"--until {text} is not the end of a whole hour that is over (UTC)")
    return until_ms


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> int:
    """Run the job once, print its result and return the exit code."""
    parser = argparse.ArgumentParser(
        prog=JOB, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--until", help="end of the hour, UTC, as in 2026-11-21T10:00")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    arguments = parser.parse_args()
    configure_logging(JOB)
    try:
        until_ms = until_ms_of(arguments.until, _now_ms())
        hour = ViewHour(until_ms, LabelSettings().delay_ms)
        spark = open_lake(LakeSettings(), JOB)
        spark.sql(f"USE {DATABASE}")
        report = build(spark, hour, ViewsSettings().folder)
    except (ValueError, LakeBusy) as error:
        sys.stderr.write(f"nothing was published, and earlier views stay in use: {error}\n")
        return 1
    text = f"view {report.sha256[:12]} of {report.rows} entities until {report.until}"
    sys.stdout.write((json.dumps(asdict(report)) if arguments.json else text) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
