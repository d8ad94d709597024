"""Purchases and all that was said of them, compared in Spark's tasks by the pure rules.

Rows come joined by transaction id; findings go out one row each, notes one row a batch and kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fraudwatch.domain.reconciliation.comparison import PurchaseRecords, Recomputed, findings_of
from fraudwatch.domain.reconciliation.reconciled import Note
from spark_jobs.reconcile.artefact_resolver import ArtefactResolver, ResolvedArtefacts
from spark_jobs.reconcile.rescoring import Accepted, JudgedBy, judge_again
from spark_jobs.reconcile.verdict_columns import said_from

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

FINDINGS: Final = """finding STRING, transaction_id STRING, held_by STRING, said STRING,
  expected STRING, rows BIGINT"""
# What a row holds: an accepted purchase has a value; everybody else's part may be NULL.
COLUMNS: Final = (
    "transaction_id", "value", "features", "copies", "messages", "core", "core_amount_eur_cents",
    "stored", "served",
)  # fmt: skip
_ROWS_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What every task needs to know; goes with it."""

    books: ResolvedArtefacts
    features_version: str | None  # None: the archive lacks what was before
    is_store_checked: bool = True


def compared(joined: DataFrame, rules: Rules) -> DataFrame:
    """Findings and notes; the files of the books must have been given to the workers."""
    return joined.select(*COLUMNS).mapInArrow(partial(_compared, rules), FINDINGS)


def _compared(rules: Rules, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    from pyspark import SparkFiles

    books = ArtefactResolver(rules.books, Path(SparkFiles.getRootDirectory()))
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            rows = batch.slice(start, _ROWS_AT_ONCE).to_pylist()
            yield _laid_out(list(_findings(rows, rules, books)))


def _findings(
    rows: Sequence[Mapping[str, Any]], rules: Rules, books: ArtefactResolver
) -> Iterator[tuple[str | int | None, ...]]:
    accepted = [row for row in rows if row["value"] is not None]
    again = judge_again([_accepted(row) for row in accepted], books, rules.features_version)
    computed = {
        row["transaction_id"]: one.computed for row, one in zip(accepted, again, strict=True)
    }
    for row in rows:
        purchase = _purchase(row, computed.get(row["transaction_id"]), rules)
        for found in findings_of(purchase):
            yield (*found, 1)
    notes = Counter(note for one in again for note in one.notes)
    notes[Note.REPEATED] = sum((row["messages"] or 0) - len(row["copies"] or ()) for row in rows)
    for note, count in notes.items():
        if count:
            yield (str(note), None, None, None, None, count)


def _accepted(row: Mapping[str, Any]) -> Accepted:
    said = (row["copies"] or [row["core"]])[0]
    return Accepted(row["value"], row["features"], _judged_by(said), row["served"] or ())


def _judged_by(said: Mapping[str, Any] | None) -> JudgedBy | None:
    if said is None:
        return None
    return JudgedBy(
        policy=said["policy_version"],
        models=tuple(one["version"] for one in said["model_scores"] or ()),
        risk_view=said["risk_view"] or "",
        features=said["features_version"],
        mode=said["mode"],
    )


def _purchase(row: Mapping[str, Any], computed: Recomputed | None, rules: Rules) -> PurchaseRecords:
    return PurchaseRecords(
        transaction_id=row["transaction_id"],
        computed=computed,
        copies=[said_from(one) for one in row["copies"] or ()],
        core=row["core"] and said_from(row["core"]),
        core_amount_eur_cents=row["core_amount_eur_cents"],
        stored=row["stored"] and said_from(row["stored"]),
        is_store_checked=rules.is_store_checked,
        served=row["served"] or (),
    )


def _laid_out(found: Sequence[tuple[str | int | None, ...]]) -> pa.RecordBatch:
    import pyarrow as pa

    names = ("finding", "transaction_id", "held_by", "said", "expected", "rows")
    schema = pa.schema([(name, pa.int64() if name == "rows" else pa.string()) for name in names])
    columns = zip(*found, strict=True) if found else [() for _ in names]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
