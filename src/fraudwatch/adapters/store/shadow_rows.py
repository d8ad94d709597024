"""Convert rows of the comparison tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, Final

from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.shadow import (
    Comparison,
    Pair,
    ShadowCounted,
    ShadowCounts,
    ShadowDimension,
    ShadowExample,
    ShadowKey,
    ShadowPosition,
)

EXAMPLE_COLUMNS: Final = (
    "comparison_id, source_partition, live_outcome, candidate_outcome, place, source_offset, "
    "transaction_id, event_at, amount_eur_cents, live_risk, candidate_risk, live_score, "
    "candidate_score, live_reasons, candidate_reasons"
)


def written_at_us(source_offset: int) -> int:
    """Return the write timestamp of what reaches to an offset."""
    return source_offset + 1  # above zero, because zero means "no timestamp"


def comparison_from(row: Mapping[str, Any]) -> Comparison:
    """Read a comparison."""
    return Comparison(
        comparison_id=row["comparison_id"],
        started_at_ms=_ms(row["started_at"]),
        from_at_ms=_ms(row["from_at"]),
        started_by=row["started_by"],
        policy_version=row["policy_version"],
        model_version=row["model_version"],
    )


def counted_from(
    comparison_id: str, source_partition: int, rows: Iterable[Mapping[str, Any]]
) -> ShadowCounted:
    """Read the counts of a partition."""
    position, found = ShadowPosition(), dict[ShadowKey, ShadowCounts]()
    for row in rows:
        if row["source_offset"] is not None:
            position = ShadowPosition._make(row[name] for name in ShadowPosition._fields)
        if row["dimension"] is not None:  # else the partition has only its static columns
            key = ShadowKey(row["day"], ShadowDimension(row["dimension"]), row["value"])
            found[key] = ShadowCounts._make(row[name] for name in ShadowCounts._fields)
    return ShadowCounted(comparison_id, source_partition, position, found)


def example_values(comparison_id: str, example: ShadowExample) -> tuple[Any, ...]:
    """Return the values of :data:`EXAMPLE_COLUMNS`, and the write timestamp."""
    pair = example.pair
    return (
        comparison_id,
        example.source_partition,
        pair.live_outcome,
        pair.candidate_outcome,
        example.place,
        example.source_offset,
        example.transaction_id,
        example.event_at_ms,
        example.amount_eur_cents,
        pair.live_risk,
        pair.candidate_risk,
        example.live_score,
        example.candidate_score,
        " ".join(example.live_reasons),
        " ".join(example.candidate_reasons),
        written_at_us(example.source_offset),
    )


def example_from(row: Mapping[str, Any]) -> ShadowExample:
    """Read an example."""
    return ShadowExample(
        transaction_id=row["transaction_id"],
        source_partition=row["source_partition"],
        source_offset=row["source_offset"],
        event_at_ms=_ms(row["event_at"]),
        amount_eur_cents=row["amount_eur_cents"],
        pair=Pair(
            Outcome(row["live_outcome"]),
            Risk(row["live_risk"]),
            Outcome(row["candidate_outcome"]),
            Risk(row["candidate_risk"]),
        ),
        live_score=row["live_score"],
        candidate_score=row["candidate_score"],
        live_reasons=tuple(row["live_reasons"].split()),
        candidate_reasons=tuple(row["candidate_reasons"].split()),
    )


def _ms(at: Any) -> int:
    return epoch_ms_of(at.replace(tzinfo=UTC))
