"""Write the shop's purchases to a log in memory and fold it with the production code."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np

from benchmarks.shop_arrivals import Arrival
from fraudwatch.adapters.artefacts.rate_file import load_rates
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.log_fold import FoldedMessages, fold_messages
from fraudwatch.adapters.codecs.message_frames import keys_of_column
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.ports import Vault
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus, Purchase
from fraudwatch.domain.privacy import TokenField
from fraudwatch.domain.views.as_of import view_features_as_of
from fraudwatch.domain.views.catalogue import Entity
from fraudwatch.domain.views.past import LabelChanges, PastPurchases
from fraudwatch.stack.home import ROOT

RATES: Final = ROOT / "contracts/rates/eur.csv"


class UnkeyedVault:
    """Tokens without a key: quick, for generated customers."""

    def token(self, field: TokenField, canonical: str) -> str:
        """See :class:`~fraudwatch.application.ports.Vault`."""
        digest = hashlib.blake2b(f"{field}:{canonical}".encode(), digest_size=17).digest()
        return f"00000000_{base64.b32encode(digest).decode().lower()[:26]}"

    def seal(self, customer_token: str, transaction_id: str, personal: Mapping[str, str]) -> str:
        """See :class:`~fraudwatch.application.ports.Vault`."""
        return f"{customer_token}{transaction_id}{len(personal)}"

    def content_hash(self, _: Purchase) -> None:
        """Leave the hash out: no purchase of the benchmark is sent twice."""


def unkeyed_edge() -> Edge:
    """Build an edge without keys; it never opens nor erases anything."""
    return Edge(cast("Vault", UnkeyedVault()), load_rates(RATES))


def message_of(edge: Edge, facts: Mapping[str, Any], *, now_ms: int) -> bytes:
    """Encode a purchase of the shop as ingest writes it to the log."""
    enums = {
        "payment_status": PaymentStatus(facts["payment_status"]),
        "channel": Channel(facts["channel"]),
    }
    return encode(edge.admit(Purchase(**{**facts, **enums}), now_ms=now_ms))


@dataclass(frozen=True, slots=True)
class ShopTable:
    """Folded purchases in the order of arrival, and the truth about them."""

    folded: FoldedMessages
    event_at_ms: Int64s
    arrives_ms: Int64s
    is_approved: Bools  # by the bank
    is_fraud: Bools
    reported_ms: Int64s  # 0: never

    def vectors(self, labels: LabelChanges, label_delay_ms: int) -> Float64s:
        """Compute the full vectors: the fold's features, then those of the hourly risk views.

        The views count a late purchase from its event time on, hours before it arrives.
        """
        keys = self.folded.keys
        past = PastPurchases(
            event_at_ms=self.event_at_ms,
            is_approved=self.is_approved,
            merchant_key=keys[Entity.MERCHANT],
            customer_key=keys[Entity.CUSTOMER],
            device_key=keys[Entity.DEVICE],
            ip_network_key=keys_of_column(self.folded.frame[Entity.IP_NETWORK]),
            amount_eur_cents=self.folded.amount_eur_cents,
        )
        views = view_features_as_of(past, labels, label_delay_ms=label_delay_ms)
        return np.concatenate([self.folded.features, views], axis=1)

    def is_near_fraud(self, within_ms: int) -> Bools:
        """Mark purchases of customers who had a fraud so close in time, before or after."""
        customer = self.folded.keys[Entity.CUSTOMER]
        order = np.lexsort((self.event_at_ms, customer))
        first = np.searchsorted(customer[order], customer[order], "left")
        last = np.searchsorted(customer[order], customer[order], "right")
        at_ms, is_near = self.event_at_ms[order], np.zeros(len(order), dtype=np.bool_)
        for place in np.flatnonzero(self.is_fraud[order]).tolist():
            theirs = at_ms[first[place] : last[place]]
            near = (at_ms[place] - within_ms, at_ms[place] + within_ms + 1)
            begin, end = first[place] + np.searchsorted(theirs, near)
            is_near[order[begin:end]] = True
        return is_near


def table_of(arrivals: Sequence[Arrival]) -> ShopTable:
    """Admit and fold purchases in the order of arrival."""
    edge = unkeyed_edge()
    arrives_ms = np.array([one.arrives_ms for one in arrivals], dtype=np.int64)
    messages = [message_of(edge, one.facts, now_ms=one.arrives_ms) for one in arrivals]
    folded = fold_messages(CustomerState(), messages, arrives_ms)
    return ShopTable(
        folded=folded,
        event_at_ms=folded.frame["event_at_ms"].to_numpy(),
        arrives_ms=arrives_ms[folded.position],
        is_approved=(folded.frame["payment_status"] == PaymentStatus.APPROVED).to_numpy(),
        is_fraud=np.array([one.is_fraud for one in arrivals], dtype=np.bool_)[folded.position],
        reported_ms=np.array([one.reported_ms for one in arrivals])[folded.position],
    )
