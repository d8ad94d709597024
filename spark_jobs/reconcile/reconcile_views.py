"""Reconcile a day: compare the stream's verdicts with the batch layer's own computation.

Recomputed are the features, by the same compiled fold from the batch layer's own state of the day
before; the view features, from the risk view that the verdict names; and score, outcome and risk
level, by the production code with the policy and models that the verdict names. They are compared
with the archive's verdicts and vectors, the core tables, and Cassandra.

A day is a range of the transaction log: the messages produced on it, cut by offsets (see
fraudwatch.domain.reconciliation.day_cut). A past day must be archived to its end. Of today,
everything archived up to a minute ago is reconciled. A day on which nothing was produced is
reported as such, never as agreement.

Exit code 3: more differences than RECONCILE_MOST_DIFFERENT allows; 1: it could not be done.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, date, datetime
from typing import Final

from fraudwatch.adapters.artefacts.reloadable_policy import LISTS_FOLDER
from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.adapters.store.chosen_verdicts import CassandraChosenVerdicts
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.batch_settings import ArtefactSettings, ReconcileSettings, StatesSettings
from fraudwatch.domain.reconciliation.reconciled import Reconciled
from fraudwatch.domain.reconciliation.records import Finding
from fraudwatch.observability.job_metrics import run_job, send_gauge
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import CassandraSettings, LakeSettings, ViewsSettings
from spark_jobs.days import parse_day_arguments
from spark_jobs.reconcile.artefact_resolver import ArtefactFolders
from spark_jobs.reconcile.day import JOB, DayReconciliation
from spark_jobs.reconcile.outcome_rows import document_of, save_reconciliation
from spark_jobs.reconcile.sources import NotArchived

DIFFERENT: Final = 3
EXAMPLE = "Example: spark-submit spark_jobs/reconcile/reconcile_views.py --date 2026-11-20 --json"
_ERRORS = (NotArchived, LakeBusy, StoreUnavailable)

log = logging.getLogger(JOB)


def main() -> int:
    """Run the job once, print its result and return the exit code."""
    arguments = parse_day_arguments(JOB, __doc__, EXAMPLE)
    configure_logging(JOB)
    most_different = ReconcileSettings().most_different
    try:
        done = run(arguments.date)
    except _ERRORS as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return 1
    send_findings(done)
    sentence, is_over = done.sentence(most_different), done.is_over(most_different)
    text = json.dumps(document_of(done, most_different)) if arguments.json else sentence
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    if is_over:
        log.error("%s", sentence)
    elif not done.messages:
        log.warning("%s", sentence)
    return DIFFERENT if is_over else 0


def send_findings(done: Reconciled) -> None:
    """Send the numbers of compared purchases and of differences as metrics."""
    send_gauge("fraudwatch_reconcile_compared", done.purchases)
    send_gauge("fraudwatch_reconcile_different", done.different)
    send_gauge("fraudwatch_features_different", done.counts.get(Finding.DIFFERENT_FEATURES, 0))


def run(day: date) -> Reconciled:
    """Open the engines, reconcile the day and save the findings.

    Raises:
        NotArchived: the day is not in the archive to its end.
        StoreUnavailable: Cassandra does not answer; nothing was saved.
    """
    began_at_ms, lake, artefacts = time.time_ns() // 1_000_000, LakeSettings(), ArtefactSettings()
    spark = open_lake(lake, JOB)
    session = connect(CassandraSettings())
    try:
        done = DayReconciliation(
            spark=spark,
            folders=folders_of(artefacts, ViewsSettings()),
            store=CassandraChosenVerdicts(session),
            splits=lake.shuffle_partitions,
            today=datetime.now(UTC).date(),
            states_folder=StatesSettings().folder,
        ).of(day)
    finally:
        close(session)
    save_reconciliation(spark, done, began_at_ms)
    return done


def folders_of(artefacts: ArtefactSettings, views: ViewsSettings) -> ArtefactFolders:
    """Return the folders of published artefacts and of those that the detector has used."""
    used = artefacts.detector_folder
    return ArtefactFolders(
        policies=(used / "policies", used / LISTS_FOLDER),
        models=(artefacts.models_folder, used / "models"),
        views=(views.folder, used / "views"),
    )


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
