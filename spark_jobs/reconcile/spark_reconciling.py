"""Compare purchases with all records of them in Spark's tasks, by the domain's reconciliation.

Input rows are joined by transaction id; output is one row a finding, and one row a note and batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fraudwatch.domain.reconciliation.comparison import findings_of
from fraudwatch.domain.reconciliation.reconciled import Note
from fraudwatch.domain.reconciliation.records import PurchaseRecords, Recomputed
from spark_jobs.reconcile.artefact_resolver import ArtefactResolver, ResolvedArtefacts
from spark_jobs.reconcile.rescoring import Accepted, VerdictVersions, rescore
from spark_jobs.reconcile.verdict_columns import recorded_verdict

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

FINDINGS_SCHEMA: Final = """finding STRING, transaction_id STRING, held_by STRING, said STRING,
  expected STRING, rows BIGINT"""
# Columns of an input row: an accepted purchase has a value; every other part may be NULL.
COLUMNS: Final = (
    "transaction_id", "value", "features", "copies", "messages", "core", "core_amount_eur_cents",
    "stored", "served",
)  # fmt: skip
_ROWS_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileContext:
    """Context of every task; sent with it."""

    artefacts: ResolvedArtefacts
    features_version: str | None  # None: the archive lacks earlier messages
    is_store_checked: bool = True


def compare_records(joined: DataFrame, context: ReconcileContext) -> DataFrame:
    """Compute findings and notes; the artefact files must have been sent to the workers."""
    return joined.select(*COLUMNS).mapInArrow(partial(_compared, context), FINDINGS_SCHEMA)


def _compared(
    context: ReconcileContext, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    from pyspark import SparkFiles

    artefacts = ArtefactResolver(context.artefacts, Path(SparkFiles.getRootDirectory()))
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            rows = batch.slice(start, _ROWS_AT_ONCE).to_pylist()
            yield _laid_out(list(_findings(rows, context, artefacts)))


def _findings(
    rows: Sequence[Mapping[str, Any]], context: ReconcileContext, artefacts: ArtefactResolver
) -> Iterator[tuple[str | int | None, ...]]:
    accepted = [row for row in rows if row["value"] is not None]
    rescored = rescore([_accepted(row) for row in accepted], artefacts, context.features_version)
    computed = {
        row["transaction_id"]: one.computed for row, one in zip(accepted, rescored, strict=True)
    }
    for row in rows:
        purchase = _purchase(row, computed.get(row["transaction_id"]), context)
        for mismatch in findings_of(purchase):
            yield (*mismatch, 1)
    notes = Counter(note for one in rescored for note in one.notes)
    notes[Note.REPEATED] = sum((row["messages"] or 0) - len(row["copies"] or ()) for row in rows)
    for note, count in notes.items():
        if count:
            yield (str(note), None, None, None, None, count)


def _accepted(row: Mapping[str, Any]) -> Accepted:
    verdict = (row["copies"] or [row["core"]])[0]
    return Accepted(row["value"], row["features"], _versions(verdict), row["served"] or ())


def _versions(verdict: Mapping[str, Any] | None) -> VerdictVersions | None:
    if verdict is None:
        return None
    return VerdictVersions(
        policy=verdict["policy_version"],
        models=tuple(one["version"] for one in verdict["model_scores"] or ()),
        risk_view=verdict["risk_view"] or "",
        calibration=verdict["calibration"] or "",
        features=verdict["features_version"],
        mode=verdict["mode"],
    )


def _purchase(
    row: Mapping[str, Any], computed: Recomputed | None, context: ReconcileContext
) -> PurchaseRecords:
    return PurchaseRecords(
        transaction_id=row["transaction_id"],
        computed=computed,
        copies=[recorded_verdict(one) for one in row["copies"] or ()],
        core=row["core"] and recorded_verdict(row["core"]),
        core_amount_eur_cents=row["core_amount_eur_cents"],
        stored=row["stored"] and recorded_verdict(row["stored"]),
        is_store_checked=context.is_store_checked,
        served=row["served"] or (),
    )


def _laid_out(rows: Sequence[tuple[str | int | None, ...]]) -> pa.RecordBatch:
    import pyarrow as pa

    names = ("finding", "transaction_id", "held_by", "said", "expected", "rows")
    schema = pa.schema([(name, pa.int64() if name == "rows" else pa.string()) for name in names])
    columns = zip(*rows, strict=True) if rows else [() for _ in names]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
