"""Save a reconciliation: a row a finding of the day, the job outcome, the JSON document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import SparkSession

from fraudwatch import lake
from fraudwatch.adapters.lake.outcomes import append_outcomes, code_version, outcome_of, run_id
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.reconciliation.reconciled import Note, Reconciled
from fraudwatch.domain.reconciliation.records import Finding, Mismatch
from spark_jobs.days import Days, replace_days
from spark_jobs.reconcile.day import JOB

_COLUMNS = """finding STRING, is_fault BOOLEAN, rows BIGINT, examples STRING, purchases BIGINT,
  run_id STRING, reconciled_at TIMESTAMP, code_version STRING, produced_on DATE"""


def save_reconciliation(spark: SparkSession, done: Reconciled, began_at_ms: int) -> None:
    """Replace the day's rows and record the job outcome.

    Raises:
        LakeBusy: concurrent writers kept winning; the day's rows were not changed by this run.
    """
    day, now, run = date.fromisoformat(done.day), datetime.now(UTC), run_id()
    beside = (done.purchases, run, now, code_version(), day)
    rows = [
        (str(one), isinstance(one, Finding), count, examples_text(done, one), *beside)
        for one, count in [*done.counts.items(), *done.notes.items()]
    ]
    table = f"{lake.DATABASE}.{lake.CORE_RECONCILIATION}"
    frame = spark.createDataFrame(rows, _COLUMNS).coalesce(1)
    replace_days(frame, table, "produced_on", Days(day, day))
    append_outcomes(spark, [outcome_of(JOB, counted_rows(done), began_at_ms=began_at_ms)])


def counted_rows(done: Reconciled) -> CountedRows:
    """Count messages and purchases; findings and notes are the rejected, by name.

    A day without messages is named among the reasons with no row.
    """
    day = date.fromisoformat(done.day)
    counts = [*done.counts.items(), *done.notes.items()]
    return CountedRows(
        rows_in=done.messages,
        rows_out=done.purchases,
        rejected={
            str(one): 0 if one is Note.NOTHING_PRODUCED else count for one, count in counts if count
        },
        from_ms=Days(day, day).from_ms,
        until_ms=Days(day, day).until_ms,
    )


def examples_text(done: Reconciled, one: object) -> str:
    """Return the examples of a finding as JSON."""
    return json.dumps(_examples(done.examples.get(one, ()))) if isinstance(one, Finding) else "[]"


def document_of(done: Reconciled, most_different: int) -> dict[str, Any]:
    """Build the run's result as one JSON object."""
    return {
        "date": done.day,
        "ok": not done.is_over(most_different),
        "different": done.different,
        "most_different": most_different,
        "messages": done.messages,
        "purchases": done.purchases,
        "findings": {
            str(one): {"count": count, "examples": _examples(done.examples.get(one, ()))}
            for one, count in done.counts.items()
        },
        "notes": {str(note): count for note, count in done.notes.items()},
        "state_from": done.state_from,
        "said": done.sentence(most_different),
    }


def _examples(mismatches: Sequence[Mismatch]) -> list[dict[str, str]]:
    return [
        {
            "transaction_id": one.transaction_id,
            "held_by": str(one.source),
            "said": one.actual,
            "expected": one.expected,
        }
        for one in mismatches
    ]
