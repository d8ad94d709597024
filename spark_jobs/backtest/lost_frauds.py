"""List known frauds that the live policy alerted on and the candidate does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.application.backtest.purchases import Purchases

MOST_LISTED: Final = 200
_ID: Final = "transaction_id"


def lost_frauds(table: DataFrame, scored: Purchases) -> list[dict[str, Any]]:
    """Return the largest of them; scored purchases have a hash for an id, the table has both."""
    is_lost = (
        scored.known.is_fraud
        & scored.live.is_alert
        & scored.candidate.is_scored
        & ~scored.candidate.is_alert
    )
    rows = np.flatnonzero(is_lost)
    largest = rows[np.argsort(-scored.known.eur_cents[rows], kind="stable")][:MOST_LISTED]
    hashes = scored.transaction[largest].view(np.int64).tolist()
    if not hashes:
        return []
    columns = _ID, "event_at_ms", "amount_eur_cents", "merchant_id"
    found = table.where(F.xxhash64(_ID).isin(hashes)).select(*columns).distinct().collect()
    return [
        {
            _ID: row[_ID],
            "at": datetime.fromtimestamp(row["event_at_ms"] // 1000, UTC).isoformat(),
            "amount_eur_cents": row["amount_eur_cents"],
            "merchant_id": row["merchant_id"],
        }
        for row in sorted(found, key=lambda row: (-row["amount_eur_cents"], row[_ID]))
    ]
