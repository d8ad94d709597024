"""Check that a key may see a transaction: one that is limited to sources sees only theirs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from fraudwatch.domain.api_keys import ApiKey
from fraudwatch.domain.messages.purchase import LONGEST_TRANSACTION_ID
from rest_api.schemas import TRANSACTION_ID

TransactionId = Annotated[
    str,
    Path(
        description="The transaction's id: `source:id`",
        max_length=LONGEST_TRANSACTION_ID,
        pattern=TRANSACTION_ID,
        examples=["shop:1"],
    ),
]


def require_source_of(key: ApiKey, transaction_id: str) -> None:
    """Require that the key is valid for the source of a transaction, stored or not.

    Raises:
        OtherSource: it is not.
    """
    key.require_sources([transaction_id.partition(":")[0]])
