"""Convert verdicts to the columns that a reconciliation compares, the same for every source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.reconciliation.records import RecordedScore, RecordedVerdict, ScoredOutcome

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

# The compared fields of a verdict, and its versions.
VERDICT_STRUCT: Final = """outcome STRING, risk STRING, score DOUBLE, amount_eur_cents BIGINT,
  mode STRING, policy_version STRING, features_version STRING, risk_view STRING,
  calibration STRING, is_control BOOLEAN, is_novel BOOLEAN,
  decided_at_ms BIGINT, model_scores ARRAY<STRUCT<model: STRING, version: STRING, score: DOUBLE>>"""
# ``digest`` is of the re-encoded message, ``bytes_digest`` of the message's original bytes.
VERDICT_MESSAGE_STRUCT: Final = f"{VERDICT_STRUCT}, digest STRING, bytes_digest STRING"
_PLACED: Final = f"""transaction_id STRING, judged_partition INT, judged_offset BIGINT,
  event_at_ms BIGINT, produced_on DATE, said STRUCT<{VERDICT_MESSAGE_STRUCT}>"""


def placed_verdicts(raw: DataFrame) -> DataFrame:
    """Decode the verdicts of a raw topic with their purchase's offset; NULL where unreadable."""
    return raw.select("value", "produced_on").mapInArrow(_placed, _PLACED)


def _placed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for batch in batches:
        values, days = (batch.column(name).to_pylist() for name in ("value", "produced_on"))
        rows = [
            _row(value or b"") | {"produced_on": on} for value, on in zip(values, days, strict=True)
        ]
        yield pa.RecordBatch.from_pylist(rows, schema=_arrow_schema())


def _arrow_schema() -> pa.Schema:
    import pyarrow as pa

    model = pa.struct([("model", pa.string()), ("version", pa.string()), ("score", pa.float64())])
    verdict = pa.struct(
        [
            ("outcome", pa.string()), ("risk", pa.string()), ("score", pa.float64()),
            ("amount_eur_cents", pa.int64()), ("mode", pa.string()),
            ("policy_version", pa.string()), ("features_version", pa.string()),
            ("risk_view", pa.string()), ("calibration", pa.string()),
            ("is_control", pa.bool_()), ("is_novel", pa.bool_()), ("decided_at_ms", pa.int64()),
            ("model_scores", pa.list_(model)), ("digest", pa.string()),
            ("bytes_digest", pa.string()),
        ]
    )  # fmt: skip
    return pa.schema(
        [
            ("transaction_id", pa.string()), ("judged_partition", pa.int32()),
            ("judged_offset", pa.int64()), ("event_at_ms", pa.int64()),
            ("produced_on", pa.date32()), ("said", verdict),
        ]
    )  # fmt: skip


def _row(value: bytes) -> dict[str, Any]:
    try:
        verdict = decode(Verdict, value)
    except Refused:
        return dict.fromkeys(
            ("transaction_id", "judged_partition", "judged_offset", "event_at_ms", "said")
        )
    return {
        "transaction_id": verdict.transaction_id,
        "judged_partition": verdict.source_partition,
        "judged_offset": verdict.source_offset,
        "event_at_ms": verdict.event_at_ms,
        "said": verdict_row(verdict, hashlib.sha256(value).hexdigest()),
    }


def verdict_row(verdict: Verdict, bytes_digest: str = "") -> dict[str, Any]:
    """Convert a verdict to the columns of :data:`VERDICT_MESSAGE_STRUCT`."""
    return {
        "outcome": str(verdict.outcome),
        "risk": str(verdict.risk),
        "score": verdict.score,
        "amount_eur_cents": verdict.amount_eur_cents,
        "mode": str(verdict.mode),
        "policy_version": verdict.policy_version,
        "features_version": verdict.features_version,
        "risk_view": verdict.risk_view,
        "calibration": verdict.calibration,
        "is_control": verdict.is_control,
        "is_novel": verdict.is_novel,
        "decided_at_ms": verdict.decided_at_ms,
        "model_scores": [
            {"model": one.model, "version": one.version, "score": one.score}
            for one in verdict.model_scores
        ],
        "digest": hashlib.sha256(encode(verdict)).hexdigest(),
        "bytes_digest": bytes_digest,
    }


def recorded_verdict(row: Mapping[str, Any]) -> RecordedVerdict:
    """Convert the columns to the verdict that the domain compares."""
    return RecordedVerdict(
        scored=ScoredOutcome(
            outcome=row["outcome"],
            risk=row["risk"],
            score=row["score"],
            is_control=bool(row["is_control"]),
            is_novel=bool(row["is_novel"]),
            model_scores=tuple(
                RecordedScore(one["model"], one["score"]) for one in row["model_scores"] or ()
            ),
        ),
        amount_eur_cents=row["amount_eur_cents"],
        digest=row.get("digest") or "",
    )
