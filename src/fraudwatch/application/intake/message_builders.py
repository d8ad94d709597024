"""What each kind of message is published as: its name, by which a repeat is known, and its key."""

from __future__ import annotations

from collections.abc import Callable

from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.admit_label import admit_label
from fraudwatch.application.intake.intake import Outgoing
from fraudwatch.domain.messages.label import Label, ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.transaction import Transaction


def purchases(
    edge: Edge, encode: Callable[[Transaction], bytes]
) -> Callable[[Purchase, int], Outgoing]:
    """Purchases become transactions, named by their id, in the order of their customer."""

    def admit(purchase: Purchase, now_ms: int) -> Outgoing:
        admitted = edge.admit(purchase, now_ms=now_ms)
        return Outgoing(admitted.transaction_id, admitted.customer_token, encode(admitted))

    return admit


def labels(encode: Callable[[Label], bytes]) -> Callable[[ReportedLabel, int], Outgoing]:
    """Reports become labels, in the order of their transaction; all of a label is its name."""

    def admit(reported: ReportedLabel, now_ms: int) -> Outgoing:
        label = admit_label(reported, now_ms=now_ms)
        value = encode(label)
        return Outgoing(value.decode(), label.transaction_id, value)

    return admit
