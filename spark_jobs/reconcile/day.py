"""One day reconciled: what is read, folded, joined and compared, in this order."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.application.reconcile import STORED_DAYS, StoredVerdicts
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.reconciliation.comparison import Finding, Mismatch, RecordSource
from fraudwatch.domain.reconciliation.day_cut import DayCut
from fraudwatch.domain.reconciliation.reconciled import Note, Reconciled
from spark_jobs.days import Days
from spark_jobs.reconcile.artefact_resolver import ArtefactFolders
from spark_jobs.reconcile.customer_states import Base, end_of_day, keep_states, newest_base
from spark_jobs.reconcile.day_fold import fold_on
from spark_jobs.reconcile.rows import (
    Told,
    accepted_of,
    copies_of,
    counted,
    cut_of,
    joined,
    verdicts_of_day,
    within,
)
from spark_jobs.reconcile.sources import books_of, event_days, settled_until_ms, stored_of
from spark_jobs.reconcile.spark_reconciling import Rules, compared
from spark_jobs.reconcile.verdict_columns import placed_verdicts

JOB: Final = "reconcile_views"
_ONE_DAY: Final = timedelta(days=1)
_PLACE: Final = ("source_partition", "source_offset")

log = logging.getLogger(JOB)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReconciliation:
    """What is needed to reconcile any day."""

    spark: SparkSession
    folders: ArtefactFolders
    store: StoredVerdicts
    splits: int
    today: date

    def of(self, day: date) -> Reconciled:
        """Compute the day again and compare; only the end-of-day state is written.

        Raises:
            NotArchived: the day is not archived and refined to its end.
            LakeBusy: others kept writing the states.
            StoreUnavailable: the store cannot be read through.
        """
        ledger = self._table(lake.CORE_JOB_OUTCOMES)
        until_ms = settled_until_ms(ledger, day, self.today)
        is_over = until_ms == Days(day, day).until_ms
        archived = self._table(lake.RAW_TRANSACTION_TOPIC)
        cut = cut_of(archived, day, until_ms)
        base = newest_base(self.spark, day, cut, features_version())
        messages = archived.where(within(DayCut(base.ends, cut.ends), *_PLACE))
        is_whole = messages.count() == DayCut(base.ends, cut.ends).messages
        log.info("%s: %d messages, from the state of %s", day, cut.messages, base.day)
        with ExitStack() as kept:
            told = messages.withColumn("is_told", within(cut, *_PLACE))
            begun = base.states(self.spark)
            folded = kept.enter_context(_kept(fold_on(told, begun, self.splits)))
            accepted = kept.enter_context(_kept(accepted_of(folded)))
            done = self._compare(accepted, _Day(day, cut, base, is_over, is_whole))
            if is_whole:  # last: to write a table makes Spark compute anew whatever has read it
                keep_states(end_of_day(folded, begun), day, cut.ends, features_version())
        return done

    def _compare(self, accepted: DataFrame, day: _Day) -> Reconciled:
        with ExitStack() as kept:
            since = F.col("produced_on") >= F.lit(day.day - _ONE_DAY)
            placed = placed_verdicts(self._table(lake.RAW_FRAUD_TOPIC).where(since))
            verdicts = kept.enter_context(_kept(placed))
            bought = self._table(lake.CORE_TRANSACTIONS)
            over = day.day if day.is_over else None
            copies = kept.enter_context(
                _kept(copies_of(verdicts_of_day(verdicts, accepted, day.cut, bought, over)))
            )
            days = event_days(accepted, day.day)
            is_stored = self._is_stored(day.day)
            told = Told(
                vectors=self._table(lake.RAW_FEATURE_TOPIC).where(since),
                core_verdicts=self._table(lake.CORE_VERDICTS).where(days),
                core_transactions=bought.where(days),
                stored=stored_of(self.spark, self.store if is_stored else None, accepted, day.cut),
            )
            books = kept.enter_context(
                books_of(self.spark, self.folders, copies, told.core_verdicts)
            )
            rules = Rules(
                books=books,
                features_version=features_version() if day.is_whole else None,
                is_store_checked=is_stored,
            )
            rows = joined(accepted, copies, told, day.cut)
            findings = kept.enter_context(_kept(compared(rows, rules)))
            unreadable = verdicts.where(
                F.col("transaction_id").isNull() & (F.col("produced_on") == F.lit(day.day))
            )
            return self._reconciled(counted(findings), accepted.count(), unreadable.count(), day)

    def _reconciled(
        self, findings: DataFrame, purchases: int, unreadable: int, day: _Day
    ) -> Reconciled:
        rows = {row.finding: row for row in findings.collect()}
        counts = {one: rows[one].rows if one in rows else 0 for one in Finding}
        notes = {note: rows[note].rows if note in rows else 0 for note in Note}
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
    """A day while it is looked at."""

    day: date
    cut: DayCut
    base: Base
    is_over: bool
    is_whole: bool


@contextmanager
def _kept(rows: DataFrame) -> Iterator[DataFrame]:
    """On disk while it is asked several times."""
    kept = rows.persist(StorageLevel.DISK_ONLY)
    try:
        yield kept
    finally:
        kept.unpersist()


def _examples(finding: Finding, rows: Any) -> list[Mismatch]:
    return [
        Mismatch(finding, row.transaction_id, RecordSource(row.held_by), row.said, row.expected)
        for row in rows or ()
    ]
