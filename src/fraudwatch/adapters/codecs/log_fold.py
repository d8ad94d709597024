"""Fold messages of the transaction log: accepted rows with features, refused ones, repeats.

The only reader of the log for scoring, restore and reconciliation. Whether an event is accepted
depends on the log alone, and on Kafka's timestamp of the message where a clock is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from fraudwatch.adapters.codecs.message_frames import events_of, keys_of_column, parse_transactions
from fraudwatch.adapters.codecs.refund_frames import fold_in_order, parse_refunds
from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS
from fraudwatch.domain.arrays import Float64s, Int64s, UInt64s
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem
from fraudwatch.domain.rules.lists import LIST_COLUMNS
from fraudwatch.domain.rules.rule import RuleInput
from fraudwatch.domain.rules.watch_list_match import WATCH_LIST_TEXTS
from fraudwatch.domain.views.catalogue import Entity
from fraudwatch.domain.views.published import RiskViews, ViewFeatures

if TYPE_CHECKING:
    import pyarrow as pa

_FUTURE = Refused(Code.FUTURE_EVENT, [Problem("event_at_ms", "is in the future")])
_TOO_LATE = Refused(
    Code.TOO_LATE, [Problem("event_at_ms", "is over 30 days before the customer's last")]
)

_RARE_TEXTS = ("applied_default", *WATCH_LIST_TEXTS)


class FoldedMessages(NamedTuple):
    """Result of folding messages; rows are the accepted transactions in order."""

    frame: pl.DataFrame  # their fields
    position: Int64s  # of each in the given messages
    amount_eur_cents: Int64s
    features: Float64s  # [row, FEATURES], read before the row was added
    keys: dict[Entity, UInt64s]  # of the entities that the fold also uses
    repeats: int
    late: int  # of the rows: older than their customer's last
    refused: list[tuple[int, Refused]]  # position and why
    refunds: int = 0  # they reduce spend and are no rows

    def enrich_with_views(self, views: RiskViews) -> ViewFeatures:
        """Look up each row's view features."""
        networks = keys_of_column(self.frame[Entity.IP_NETWORK])
        event_at_ms = self.frame["event_at_ms"].to_numpy()
        return views.lookup({**self.keys, Entity.IP_NETWORK: networks}, event_at_ms)

    def only(self, rows: Int64s) -> FoldedMessages:
        """Select some of the rows."""
        return FoldedMessages(
            frame=self.frame[rows],
            position=self.position[rows],
            amount_eur_cents=self.amount_eur_cents[rows],
            features=self.features[rows],
            keys={entity: keys[rows] for entity, keys in self.keys.items()},
            repeats=0,
            late=0,
            refused=[],
        )

    def rule_input(self, vectors: Float64s) -> RuleInput:
        """Build the rules' input from the full vectors."""
        return RuleInput(
            amount_eur_cents=self.amount_eur_cents,
            features=vectors,
            transaction_id=self.frame["transaction_id"].to_list(),
            event_at_ms=self.frame["event_at_ms"].to_numpy(),
            **{name: _known_texts(self.frame[name]) for name in _RARE_TEXTS},
            watch_list_similarity=self.frame["watch_list_similarity"].to_numpy(),
            **{name: self.frame[name].to_list() for name in LIST_COLUMNS},
        )


def _known_texts(column: pl.Series) -> Sequence[str | None]:
    """Return the column, or nothing where it has no value, as almost always."""
    return () if column.null_count() == len(column) else column.to_list()


def fold_messages(
    customers: CustomerState, messages: Sequence[bytes], produced_at_ms: Int64s
) -> FoldedMessages:
    """Parse messages in offset order and fold the acceptable ones into the customers' state."""
    parsed = parse_transactions(messages)
    in_time = parsed.frame["event_at_ms"].to_numpy() <= (
        produced_at_ms[parsed.position] + FUTURE_TOLERANCE_MS
    )
    ahead = parsed.position[~in_time]
    frame, position = parsed.frame.filter(pl.Series(in_time)), parsed.position[in_time]
    events = events_of(frame, produced_at_ms[position])
    repeated_refunds = 0
    if parsed.refunds:
        refunds = parse_refunds(messages, parsed.refunds, produced_at_ms)
        parsed.refused.extend(refunds.refused)
        folded, repeated_refunds = fold_in_order(customers, events, position, refunds)
    else:
        folded = fold(customers, events)
    is_fresh = ~folded.is_repeat & ~folded.is_too_late
    refused = [
        *parsed.refused,
        *((place, _FUTURE) for place in ahead.tolist()),
        *((place, _TOO_LATE) for place in position[folded.is_too_late].tolist()),
    ]
    return FoldedMessages(
        frame=frame.filter(pl.Series(is_fresh)),
        position=position[is_fresh],
        amount_eur_cents=events.amount_eur_cents[is_fresh],
        features=folded.features[is_fresh],
        keys=_keys(events, is_fresh),
        repeats=int(folded.is_repeat.sum()) + repeated_refunds,
        late=int(folded.is_late.sum()),
        refused=sorted(refused, key=lambda one: one[0]),
        refunds=len(parsed.refunds),
    )


def parse_accepted(messages: Sequence[bytes], features: Float64s) -> FoldedMessages:
    """Parse messages that were accepted elsewhere, each with its known features."""
    parsed = parse_transactions(messages)
    # They are not folded, so when they were produced does not matter.
    events = events_of(parsed.frame, parsed.frame["event_at_ms"].to_numpy())
    return FoldedMessages(
        frame=parsed.frame,
        position=parsed.position,
        amount_eur_cents=events.amount_eur_cents,
        features=features,
        keys=_keys(events, np.ones(len(messages), dtype=np.bool_)),
        repeats=0,
        late=0,
        refused=[],
    )


def full_vector(folded: FoldedMessages, added: ViewFeatures) -> Float64s:
    """Concatenate the feature vectors of rules and models: fold features, then view features."""
    return np.concatenate([folded.features, added.features], axis=1)


def _keys(events: Events, is_fresh: npt.NDArray[np.bool_]) -> dict[Entity, UInt64s]:
    return {
        Entity.MERCHANT: events.merchant_key[is_fresh],
        Entity.DEVICE: events.device_key[is_fresh],
        Entity.CUSTOMER: events.customer_key[is_fresh],
    }


def packed(features: Float64s) -> list[bytes]:
    """Pack each row as on ``feature_topic``: little-endian, one canonical NaN."""
    return [row.tobytes() for row in _canonical(features)]


def packed_column(features: Float64s) -> pa.BinaryArray:
    """Pack the rows as an Arrow column of up to 2 GiB, without a Python object for each."""
    import pyarrow as pa

    rows, width = features.shape
    ends = np.arange(rows + 1, dtype=np.int32) * (8 * width)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(_canonical(features))]
    column: pa.BinaryArray = pa.Array.from_buffers(pa.binary(), rows, buffers)
    return column


def _canonical(features: Float64s) -> Float64s:
    canonical: Float64s = np.where(np.isnan(features), np.nan, features).astype("<f8")
    return canonical
