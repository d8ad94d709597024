"""Reconciles a day: what the stream said of it, against the batch layer's own computation.

What is computed again: the features by the same compiled fold, from the batch layer's own end of
the day before; what the risk view that the verdict names adds; score, outcome and risk by the
production code, with the policy and the models that the verdict names. Held against it: the
verdicts and vectors of the archive, the core tables, and Cassandra.

A day is a stretch of the transaction log: the messages produced on it, cut by offsets (see
fraudwatch.domain.reconciliation.day_cut). A day that is over must be archived to its end. Of today,
what was archived a minute ago is looked at.

It ends with 3 when more is different than RECONCILE_MOST_DIFFERENT allows, and with 1 when it could
not be done.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, date, datetime
from typing import Final

from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.adapters.store.chosen_verdicts import CassandraChosenVerdicts
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.batch_settings import BooksSettings, ReconcileSettings
from fraudwatch.domain.reconciliation.reconciled import Reconciled
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import CassandraSettings, LakeSettings, ViewsSettings
from spark_jobs.days import asked_for_a_day
from spark_jobs.reconcile.artefact_resolver import ArtefactFolders
from spark_jobs.reconcile.day import JOB, DayReconciliation
from spark_jobs.reconcile.outcome_rows import document_of, keep
from spark_jobs.reconcile.sources import NotArchived

DIFFERENT: Final = 3
EXAMPLE = "Example: spark-submit spark_jobs/reconcile/reconcile_views.py --date 2026-11-20 --json"
_TROUBLE = (NotArchived, LakeBusy, StoreUnavailable)

log = logging.getLogger(JOB)


def main() -> int:
    """Wire the job, run it once and say what came of it."""
    asked = asked_for_a_day(JOB, __doc__, EXAMPLE)
    configure_logging(JOB)
    most_different = ReconcileSettings().most_different
    try:
        done = run(asked.date)
    except _TROUBLE as error:
        log.error("%s", error)  # noqa: TRY400  the sentence says it; a traceback would bury it
        return 1
    sentence, is_over = done.sentence(most_different), done.is_over(most_different)
    said = json.dumps(document_of(done, most_different)) if asked.json else sentence
    sys.stdout.write(said + "\n")
    sys.stdout.flush()
    if is_over:
        log.error("%s", sentence)
    return DIFFERENT if is_over else 0


def run(day: date) -> Reconciled:
    """Open the engines, reconcile, keep what was found.

    Raises:
        NotArchived: the day is not in the archive to its end.
        StoreUnavailable: Cassandra does not answer; nothing was kept.
    """
    began_at_ms, lake, books = time.time_ns() // 1_000_000, LakeSettings(), BooksSettings()
    spark = open_lake(lake, JOB)
    session = connect(CassandraSettings())
    try:
        done = DayReconciliation(
            spark=spark,
            folders=folders_of(books, ViewsSettings()),
            store=CassandraChosenVerdicts(session),
            splits=lake.shuffle_partitions,
            today=datetime.now(UTC).date(),
        ).of(day)
    finally:
        close(session)
    keep(spark, done, began_at_ms)
    return done


def folders_of(books: BooksSettings, views: ViewsSettings) -> ArtefactFolders:
    """Where things are published, and where the detector remembers what it used."""
    remembered = books.detector_folder
    return ArtefactFolders(
        policies=(remembered / "policies",),
        models=(books.models_folder, remembered / "models"),
        views=(views.folder, remembered / "views"),
    )


if __name__ == "__main__":
    sys.exit(main())
