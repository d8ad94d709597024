"""Map refunds to rows of ``refund_by_transaction`` and back, without the driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.store.rows import Table
from fraudwatch.domain.messages.refund import Refund

REFUNDS = Table(
    name="refund_by_transaction",
    message=Refund,
    partition=("transaction_id",),
    written_at="refunded_at_ms",
    plain=("transaction_id", "refund_id"),
    computed={"refund": lambda refund: encode(refund).decode()},
)


def refund_from(row: Mapping[str, Any]) -> Refund:
    """Decode a row of ``refund_by_transaction``."""
    return decode(Refund, row["refund"].encode())
