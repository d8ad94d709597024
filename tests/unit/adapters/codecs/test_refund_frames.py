from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.log_fold import FoldedMessages, fold_messages
from fraudwatch.domain.features.catalogue import FEATURE_INDEX
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.dead_letter import Code
from fraudwatch.domain.time_units import MINUTE_MS
from fraudwatch.samples import NOON_MS, a_refund, a_token, a_transaction

SPEND = FEATURE_INDEX["spend_1d_eur_cents"]


def bought(number: int, *, customer: str = "a", amount: int = 1_000) -> bytes:
    return encode(
        a_transaction(
            transaction_id=f"shop:{number}",
            customer_token=a_token(customer),
            event_at_ms=NOON_MS + number * MINUTE_MS,
            amount_eur_cents=amount,
        )
    )


def given_back(number: int, *, of: int, customer: str = "a", amount: int = 1_000) -> bytes:
    return encode(
        a_refund(
            refund_id=f"shop:{number}",
            customer_token=a_token(customer),
            purchased_at_ms=NOON_MS + of * MINUTE_MS,
            amount_eur_cents=amount,
        )
    )


def folded(messages: list[bytes], state: CustomerState | None = None) -> FoldedMessages:
    times = np.full(len(messages), NOON_MS + 60 * MINUTE_MS)
    return fold_messages(state or CustomerState(), messages, times)


def test_a_refund_is_no_row_and_reduces_what_comes_after_it() -> None:
    result = folded([bought(1), bought(2), given_back(9, of=1, amount=400), bought(3)])
    assert result.frame["transaction_id"].to_list() == ["shop:1", "shop:2", "shop:3"]
    assert result.position.tolist() == [0, 1, 3]
    assert result.features[:, SPEND].tolist() == [0, 1_000, 1_600]
    assert (result.refunds, result.repeats, result.refused) == (1, 0, [])


def test_a_refund_may_have_the_id_of_a_purchase() -> None:
    result = folded([bought(1), given_back(1, of=1, amount=400), bought(2)])
    assert result.repeats == 0
    assert result.features[:, SPEND].tolist() == [0, 600]


def test_a_repeated_refund_is_counted_and_reduces_once() -> None:
    one = given_back(9, of=1, amount=400)
    result = folded([bought(1), one, one, bought(2), one, bought(3)])
    assert (result.refunds, result.repeats) == (3, 2)
    assert result.features[:, SPEND].tolist() == [0, 600, 1_600]


def test_a_batch_of_refunds_alone_has_no_rows() -> None:
    state = CustomerState()
    folded([bought(1)], state)
    result = folded([given_back(8, of=1, amount=1), given_back(9, of=1, amount=2)], state)
    assert (len(result.frame), len(result.features), result.refunds) == (0, 0, 2)
    assert folded([bought(2)], state).features[:, SPEND].tolist() == [997]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (given_back(9, of=1).replace(b'"amount_eur_cents":1000', b'"amount_eur_cents":-1'),
         Code.OUT_OF_BOUNDS),
        (given_back(9, of=1).replace(b'"refund_id"', b'"id"'), Code.WRONG_SCHEMA),
        (given_back(9, of=1)[:-1], Code.NOT_JSON),
    ],
)  # fmt: skip
def test_a_refund_out_of_bounds_is_refused_at_its_place(message: bytes, code: Code) -> None:
    result = folded([bought(1), b"garbage", message, bought(2)])
    assert [(place, why.code) for place, why in result.refused] == [(1, Code.NOT_JSON), (2, code)]
    assert result.features[:, SPEND].tolist() == [0, 1_000]


steps = st.lists(
    st.tuples(st.booleans(), st.integers(0, 30), st.sampled_from("abc"), st.integers(1, 2_000)),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(steps, st.data())
def test_any_chunking_gives_the_same_bytes(
    listed: list[tuple[bool, int, str, int]], data: st.DataObject
) -> None:
    messages = [
        given_back(number, of=number, customer=customer, amount=amount)
        if is_refund
        else bought(number, customer=customer, amount=amount)
        for is_refund, number, customer, amount in listed
    ]
    whole, state, parts = folded(messages), CustomerState(), []
    while messages:
        count = data.draw(st.integers(1, len(messages)))
        parts.append(folded(messages[:count], state).features)
        messages = messages[count:]
    assert whole.features.tobytes() == b"".join(part.tobytes() for part in parts)
