"""Sources of a reconciliation: progress of the lake, scoring artefacts, verdicts in the store."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.artefacts.view_artefact import VIEW_FILES, view_bytes
from fraudwatch.adapters.lake.archive_table import ARCHIVED
from fraudwatch.application.reconcile import StoredVerdicts
from fraudwatch.domain.reconciliation.day_cut import DayCut
from fraudwatch.domain.views.published import NO_VIEW, VERSION_LENGTH
from fraudwatch.topics import FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC
from spark_jobs.days import Days
from spark_jobs.reconcile.artefact_resolver import (
    ArtefactFolders,
    ResolvedArtefacts,
    resolve_artefacts,
)
from spark_jobs.reconcile.verdict_columns import VERDICT_MESSAGE_STRUCT, verdict_row
from spark_jobs.views.build_risk_views import view_of_rows
from spark_jobs.views.rows import ViewHour

# Jobs that must have read past the day's end, plus the time that a verdict may take. A core table
# reaches as far as the last archive run that had ended when its refining began.
_REFINED_BEHIND: Final = {
    f"refine_topics:{ARCHIVED[topic]}": f"archive_topics:{topic}"
    for topic in (TRANSACTION_TOPIC, FRAUD_TOPIC)
}
NEEDED: Final = (
    *_REFINED_BEHIND.values(),
    f"archive_topics:{FEATURE_TOPIC}",
    *_REFINED_BEHIND,
)
SETTLED_MS: Final = 60_000

log = logging.getLogger(__name__)


class NotArchived(RuntimeError):
    """The archive does not contain the day yet."""


def reconcilable_until_ms(ledger: DataFrame, day: date, today: date) -> int:
    """Return until when the day can be reconciled: its end, or for today the lake's progress.

    Raises:
        NotArchived: a past day is not in the lake to its end, or today not at all.
    """
    needed = ledger.where(F.col("job").isin(*NEEDED) & (F.col("ended_on") >= F.lit(day)))
    runs = needed.select("job", "began_at_ms", "ended_at_ms").collect()
    reached = {job: _reached_ms(runs, job) for job in NEEDED}
    behind = min(NEEDED, key=lambda job: reached[job])
    settled_ms, requested = reached[behind] - SETTLED_MS, Days(day, day)
    if settled_ms >= requested.until_ms:
        return requested.until_ms
    if day < today or settled_ms <= requested.from_ms:
        raise NotArchived(
            f"{day} is not in the lake to its end ({behind} has not run since), so nothing was "
            "compared; run the DAG archive_topics and then this again"
        )
    log.warning("%s is not over: reconciling what is archived so far", day)
    return settled_ms


def _reached_ms(runs: Sequence[Row], job: str) -> int:
    """Return the instant before which the job has read everything; 0 if it never ran."""
    last = max((run.began_at_ms for run in runs if run.job == job), default=0)
    if job not in _REFINED_BEHIND:
        return last
    before = (run for run in runs if run.job == _REFINED_BEHIND[job] and run.ended_at_ms <= last)
    return max((run.began_at_ms for run in before), default=0)


@contextmanager
def resolve_for_workers(
    spark: SparkSession, folders: ArtefactFolders, copies: DataFrame, core: DataFrame
) -> Iterator[ResolvedArtefacts]:
    """Resolve the artefacts that these verdicts name, and send their files to every worker."""
    verdicts = copies.select(F.explode("copies").alias("one")).select("one.*")
    columns = "policy_version", "risk_view", "calibration", "model_scores.version AS versions"
    # The core table is the fallback where the topic's verdict is missing.
    both = verdicts.selectExpr(*columns).unionByName(core.selectExpr(*columns))
    named = both.distinct().collect()
    views = {row.risk_view or NO_VIEW for row in named}
    with tempfile.TemporaryDirectory(prefix="risk-views-") as built:
        rebuild_views(spark, _missing_views(folders, views), Path(built))
        found = resolve_artefacts(
            replace(folders, views=(*folders.views, Path(built))),
            policies={row.policy_version for row in named},
            models={version for row in named for version in row.versions or ()},
            views=views,
            calibrations={row.calibration for row in named if row.calibration},
        )
        for path in found.files:
            spark.sparkContext.addFile(str(path))
        yield found


def _missing_views(folders: ArtefactFolders, views: set[str]) -> set[str]:
    existing = {sha[:VERSION_LENGTH] for one in folders.views for sha in VIEW_FILES.in_folder(one)}
    return views - existing - {NO_VIEW}


def rebuild_views(spark: SparkSession, missing: set[str], folder: Path) -> None:
    """Rebuild views whose file is missing from the lake's rows; the same bytes or none."""
    if not missing:
        return
    rows = spark.table(f"{lake.DATABASE}.{lake.CORE_RISK_VIEWS}")
    for one in rows.select("built_until_ms", "label_delay_ms").distinct().collect():
        hour = ViewHour(one.built_until_ms, one.label_delay_ms)
        of_hour = rows.where(F.col("built_until_ms") == hour.until_ms)
        content = view_bytes(view_of_rows(of_hour, hour))
        if sha256(content).hexdigest()[:VERSION_LENGTH] in missing:
            VIEW_FILES.write(folder, content)


def stored_of(
    spark: SparkSession, store: StoredVerdicts | None, accepted: DataFrame, cut: DayCut
) -> DataFrame:
    """Read the store's verdicts on these purchases and offsets; empty where it is not checked."""
    schema = f"transaction_id STRING, said STRUCT<{VERDICT_MESSAGE_STRUCT}>"
    if store is None:
        return spark.createDataFrame([], schema)
    ids = set(accepted.select("transaction_id").toArrow().column(0).to_pylist())
    chosen = store.chosen(lambda name, *place: name in ids or cut.contains(*place))
    rows = [(verdict.transaction_id, verdict_row(verdict)) for verdict in chosen]
    log.info("%d verdicts of the day in the store", len(rows))
    return spark.createDataFrame(rows, schema)


def event_days(accepted: DataFrame, day: date) -> Column:
    """Return the condition on these purchases' days, as literals: Delta opens only these files."""
    days = [F.to_date(F.timestamp_millis(edge("event_at_ms"))) for edge in (F.min, F.max)]
    bounds: Any = accepted.agg(*days).first()
    first, last = bounds if bounds[0] is not None else (day, day)
    return F.col("event_on").between(F.lit(first), F.lit(last))
