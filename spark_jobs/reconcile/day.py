"""Reconcile one day: read, fold, join and compare."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.application.reconcile import STORED_DAYS, StoredVerdicts
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.reconciliation.day_cut import DayCut
from fraudwatch.domain.reconciliation.reconciled import Note, Reconciled
from fraudwatch.domain.reconciliation.records import Finding, Mismatch, RecordSource
from spark_jobs.days import Days
from spark_jobs.reconcile.artefact_resolver import ArtefactFolders
from spark_jobs.reconcile.customer_states import Base, end_of_day, newest_base, save_states
from spark_jobs.reconcile.day_fold import fold_on
from spark_jobs.reconcile.published_states import publish_states
from spark_jobs.reconcile.rows import (
    ReconcileInputs,
    accepted_purchases,
    count_findings,
    cut_of,
    join_records,
    verdict_copies,
    verdicts_of_day,
    within,
)
from spark_jobs.reconcile.sources import (
    event_days,
    reconcilable_until_ms,
    resolve_for_workers,
    stored_of,
)
from spark_jobs.reconcile.spark_reconciling import ReconcileContext, compare_records
from spark_jobs.reconcile.verdict_columns import placed_verdicts

JOB: Final = "reconcile_views"
_ONE_DAY: Final = timedelta(days=1)
_PLACE: Final = ("source_partition", "source_offset")

log = logging.getLogger(JOB)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReconciliation:
    """Engines and folders for reconciling any day."""

    spark: SparkSession
    folders: ArtefactFolders
    store: StoredVerdicts
    splits: int
    today: date
    states_folder: Path

    def of(self, day: date) -> Reconciled:
        """Recompute the day and compare; only the end-of-day state is written and published.

        Raises:
            NotArchived: the day is not archived and refined to its end.
            LakeBusy: concurrent writers of the states kept winning.
            StoreUnavailable: the store cannot be read completely.
        """
        ledger = self._table(lake.CORE_JOB_OUTCOMES)
        until_ms = reconcilable_until_ms(ledger, day, self.today)
        is_over = until_ms == Days(day, day).until_ms
        archived = self._table(lake.RAW_TRANSACTION_TOPIC)
        cut = cut_of(archived, day, until_ms)
        base = newest_base(self.spark, day, cut, features_version())
        messages = archived.where(within(DayCut(base.ends, cut.ends), *_PLACE))
        is_whole = messages.count() == DayCut(base.ends, cut.ends).messages
        log.info("%s: %d messages, from the state of %s", day, cut.messages, base.day)
        with ExitStack() as kept:
            marked = messages.withColumn("emit_features", within(cut, *_PLACE))
            initial = base.states(self.spark)
            folded = kept.enter_context(_persisted(fold_on(marked, initial, self.splits)))
            accepted = kept.enter_context(_persisted(accepted_purchases(folded)))
            done = self._compare(accepted, _Day(day, cut, base, is_over, is_whole))
            if is_whole:  # last: writing a table makes Spark recompute whatever has read it
                save_states(end_of_day(folded, initial), day, cut.ends, features_version())
                publish_states(self.spark, Base(day, cut.ends), self.states_folder)
        return done

    def _compare(self, accepted: DataFrame, day: _Day) -> Reconciled:
        with ExitStack() as kept:
            since = F.col("produced_on") >= F.lit(day.day - _ONE_DAY)
            placed = placed_verdicts(self._table(lake.RAW_FRAUD_TOPIC).where(since))
            verdicts = kept.enter_context(_persisted(placed))
            bought = self._table(lake.CORE_TRANSACTIONS)
            over = day.day if day.is_over else None
            copies = kept.enter_context(
                _persisted(
                    verdict_copies(verdicts_of_day(verdicts, accepted, day.cut, bought, over))
                )
            )
            days = event_days(accepted, day.day)
            is_stored = self._is_stored(day.day)
            inputs = ReconcileInputs(
                vectors=self._table(lake.RAW_FEATURE_TOPIC).where(since),
                core_verdicts=self._table(lake.CORE_VERDICTS).where(days),
                core_transactions=bought.where(days),
                stored=stored_of(self.spark, self.store if is_stored else None, accepted, day.cut),
            )
            artefacts = kept.enter_context(
                resolve_for_workers(self.spark, self.folders, copies, inputs.core_verdicts)
            )
            context = ReconcileContext(
                artefacts=artefacts,
                features_version=features_version() if day.is_whole else None,
                is_store_checked=is_stored,
            )
            rows = join_records(accepted, copies, inputs, day.cut)
            findings = kept.enter_context(_persisted(compare_records(rows, context)))
            unreadable = verdicts.where(
                F.col("transaction_id").isNull() & (F.col("produced_on") == F.lit(day.day))
            )
            return self._reconciled(
                count_findings(findings), accepted.count(), unreadable.count(), day
            )

    def _reconciled(
        self, findings: DataFrame, purchases: int, unreadable: int, day: _Day
    ) -> Reconciled:
        rows = {row.finding: row for row in findings.collect()}
        counts = {one: rows[one].rows if one in rows else 0 for one in Finding}
        notes = {note: rows[note].rows if note in rows else 0 for note in Note}
        notes[Note.NOTHING_PRODUCED] = int(not day.cut.messages)
        notes[Note.UNREADABLE] = unreadable
        notes[Note.STORE_EXPIRED] = 0 if self._is_stored(day.day) else purchases
        return Reconciled(
            day=day.day.isoformat(),
            messages=day.cut.messages,
            purchases=purchases,
            counts=counts,
            examples={one: _examples(one, rows[one].examples) for one in Finding if one in rows},
            notes=notes,
            state_from=str(day.base.day) if day.base.day else "the beginning of the archive",
        )

    def _is_stored(self, day: date) -> bool:
        return (self.today - day).days < STORED_DAYS - 1

    def _table(self, name: str) -> DataFrame:
        return self.spark.table(f"{lake.DATABASE}.{name}")


@dataclass(frozen=True, slots=True)
class _Day:
    """Day that is being reconciled."""

    day: date
    cut: DayCut
    base: Base
    is_over: bool
    is_whole: bool


@contextmanager
def _persisted(rows: DataFrame) -> Iterator[DataFrame]:
    """Persist rows on disk while they are used several times."""
    persisted = rows.persist(StorageLevel.DISK_ONLY)
    try:
        yield persisted
    finally:
        persisted.unpersist()


def _examples(finding: Finding, rows: Any) -> list[Mismatch]:
    return [
        Mismatch(finding, row.transaction_id, RecordSource(row.held_by), row.said, row.expected)
        for row in rows or ()
    ]
