from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryTopic
from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS, Edge
from fraudwatch.application.intake.admit_refund import admit_refund
from fraudwatch.application.intake.intake import Intake, OtherContent
from fraudwatch.application.intake.message_builders import refund_builder
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.refund import Refund, RefundReason, is_refund
from fraudwatch.domain.money import Rate, RateTable
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import NOON_MS, a_purchase, a_reported_refund

LATER_MS = NOON_MS + 2 * DAY_MS
RATES = RateTable(
    [
        Rate("2026-01-01", "GBP", Decimal("0.80")),
        Rate("2026-01-16", "GBP", Decimal("0.50")),
        Rate("2026-01-01", "XTS", Decimal(1)),
    ]
)


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return Edge(TinkVault(tmp_path), RATES)


def test_a_refund_has_its_purchases_customer_id_and_rate(edge: Edge) -> None:
    bought = edge.admit(a_purchase(currency="GBP", amount_minor=800), now_ms=NOON_MS)
    reported = a_reported_refund(
        currency="GBP", amount_minor=800, reason=RefundReason.PARTIAL_CAPTURE
    )
    refund = admit_refund(edge, reported, now_ms=LATER_MS)
    assert problems(refund) == []
    assert (refund.refund_id, refund.transaction_id) == ("shop:refund-1", bought.transaction_id)
    assert refund.customer_token == bought.customer_token
    assert (refund.amount_eur_cents, refund.rate_on) == (bought.amount_eur_cents, "2026-01-01")
    assert refund.reason is RefundReason.PARTIAL_CAPTURE


def test_a_message_says_at_its_beginning_that_it_is_a_refund(edge: Edge) -> None:
    message = encode(admit_refund(edge, a_reported_refund(), now_ms=LATER_MS))
    assert is_refund(message)
    assert not is_refund(encode(edge.admit(a_purchase(), now_ms=NOON_MS)))
    assert b"customer-1" not in message


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"amount_minor": 0}, Code.OUT_OF_BOUNDS, "amount_minor"),
        ({"amount_minor": -1}, Code.OUT_OF_BOUNDS, "amount_minor"),
        ({"amount_minor": 2**53 + 1}, Code.OUT_OF_BOUNDS, "amount_minor"),
        ({"purchase_id": "a b"}, Code.OUT_OF_BOUNDS, "purchase_id"),
        ({"refunded_at_ms": NOON_MS - 1}, Code.OUT_OF_BOUNDS, "refunded_at_ms"),
        (
            {"refunded_at_ms": LATER_MS + FUTURE_TOLERANCE_MS + 1},
            Code.FUTURE_EVENT,
            "refunded_at_ms",
        ),
        ({"currency": "XTS"}, Code.UNKNOWN_CURRENCY, "currency"),
        ({"currency": "USD"}, Code.MISSING_RATE, "currency"),
    ],
)
def test_a_refused_refund_names_the_field(
    edge: Edge, changes: dict[str, object], code: Code, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        admit_refund(edge, a_reported_refund(**changes), now_ms=LATER_MS)
    assert refused.value.code is code
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_repeated_refund_is_published_once_and_other_content_is_refused(edge: Edge) -> None:
    topic = MemoryTopic()
    intake = Intake(refund_builder(edge, encode), topic, MemoryDeadLetters(), lambda: LATER_MS)
    results = [intake.submit([a_reported_refund()]) for _ in range(2)]
    assert [(one.accepted, one.repeated) for one in results] == [(1, 0), (0, 1)]
    with pytest.raises(OtherContent):
        intake.submit([a_reported_refund(amount_minor=1)])
    [(key, value, _)] = topic.messages
    assert key == decode(Refund, value).customer_token
