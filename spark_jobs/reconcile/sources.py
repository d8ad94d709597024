"""What a reconciliation leans on beside the day: how far the lake is, the books, the store."""

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
from fraudwatch.application.reconcile import StoredVerdicts
from fraudwatch.domain.reconciliation.day_cut import DayCut
from fraudwatch.domain.views.published import NO_VIEW, VERSION_LENGTH
from fraudwatch.topics import FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC
from spark_jobs.archive.topic_archive import ARCHIVED
from spark_jobs.days import Days
from spark_jobs.reconcile.artefact_resolver import (
    ArtefactFolders,
    ResolvedArtefacts,
    resolve_artefacts,
)
from spark_jobs.reconcile.verdict_columns import SAID_OF_MESSAGE, said_row
from spark_jobs.views.build_risk_views import view_of_rows

# What must have read to behind the day's end, and as long after it as a verdict may take. A core
# table reaches as far as the last archive run that was over when its refining began.
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
    """The archive does not hold the day yet."""


def settled_until_ms(ledger: DataFrame, day: date, today: date) -> int:
    """Up to when the day can be looked at: to its end; today, as far as the lake is.

    Raises:
        NotArchived: a day that is over is not in the lake to its end, or today not at all.
    """
    needed = ledger.where(F.col("job").isin(*NEEDED) & (F.col("ended_on") >= F.lit(day)))
    runs = needed.select("job", "began_at_ms", "ended_at_ms").collect()
    reached = {job: _reached_ms(runs, job) for job in NEEDED}
    behind = min(NEEDED, key=lambda job: reached[job])
    settled_ms, asked = reached[behind] - SETTLED_MS, Days(day, day)
    if settled_ms >= asked.until_ms:
        return asked.until_ms
    if day < today or settled_ms <= asked.from_ms:
        raise NotArchived(
            f"{day} is not in the lake to its end ({behind} has not run since), so nothing was "
            "compared; run the DAG archive_topics and then this again"
        )
    log.warning("%s is not over: looking at what is archived so far", day)
    return settled_ms


def _reached_ms(runs: Sequence[Row], job: str) -> int:
    """What was produced before this instant the job has read; 0: it never ran."""
    last = max((run.began_at_ms for run in runs if run.job == job), default=0)
    if job not in _REFINED_BEHIND:
        return last
    before = (run for run in runs if run.job == _REFINED_BEHIND[job] and run.ended_at_ms <= last)
    return max((run.began_at_ms for run in before), default=0)


@contextmanager
def books_of(
    spark: SparkSession, folders: ArtefactFolders, copies: DataFrame, core: DataFrame
) -> Iterator[ResolvedArtefacts]:
    """What these verdicts were made by, given to every worker."""
    said = copies.select(F.explode("copies").alias("said")).select("said.*")
    columns = "policy_version", "risk_view", "model_scores.version AS versions"
    # The core table's rows stand in where the topic's verdict is missing.
    named = said.selectExpr(*columns).unionByName(core.selectExpr(*columns)).distinct().collect()
    views = {row.risk_view or NO_VIEW for row in named}
    with tempfile.TemporaryDirectory(prefix="risk-views-") as built:
        rebuild_views(spark, _gone(folders, views), Path(built))
        found = resolve_artefacts(
            replace(folders, views=(*folders.views, Path(built))),
            policies={row.policy_version for row in named},
            models={version for row in named for version in row.versions or ()},
            views=views,
        )
        for path in found.files:
            spark.sparkContext.addFile(str(path))
        yield found


def _gone(folders: ArtefactFolders, views: set[str]) -> set[str]:
    there = {sha[:VERSION_LENGTH] for one in folders.views for sha in VIEW_FILES.in_folder(one)}
    return views - there - {NO_VIEW}


def rebuild_views(spark: SparkSession, gone: set[str], folder: Path) -> None:
    """Views whose file is gone, from the rows that the lake still holds; the same bytes or none."""
    if not gone:
        return
    rows = spark.table(f"{lake.DATABASE}.{lake.CORE_RISK_VIEWS}")
    for hour in rows.select("built_until_ms").distinct().collect():
        until_ms = hour.built_until_ms
        content = view_bytes(
            view_of_rows(rows.where(F.col("built_until_ms") == until_ms), until_ms)
        )
        if sha256(content).hexdigest()[:VERSION_LENGTH] in gone:
            VIEW_FILES.write(folder, content)


def stored_of(
    spark: SparkSession, store: StoredVerdicts | None, accepted: DataFrame, cut: DayCut
) -> DataFrame:
    """What the store says of these purchases and places; nothing where it is not asked."""
    schema = f"transaction_id STRING, said STRUCT<{SAID_OF_MESSAGE}>"
    if store is None:
        return spark.createDataFrame([], schema)
    ids = set(accepted.select("transaction_id").toArrow().column(0).to_pylist())
    chosen = store.chosen(lambda name, *place: name in ids or cut.contains(*place))
    rows = [(verdict.transaction_id, said_row(verdict)) for verdict in chosen]
    log.info("%d verdicts of the day in the store", len(rows))
    return spark.createDataFrame(rows, schema)


def event_days(accepted: DataFrame, day: date) -> Column:
    """The days of these purchases as literals, so that Delta opens only these days' files."""
    days = [F.to_date(F.timestamp_millis(edge("event_at_ms"))) for edge in (F.min, F.max)]
    found: Any = accepted.agg(*days).first()
    first, last = found if found[0] is not None else (day, day)
    return F.col("event_on").between(F.lit(first), F.lit(last))
