"""Turns keep the order of each customer's purchases and refunds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.application.intake.turns import Sortable, turns_of


def turns(*messages: tuple[str, str, bool]) -> list[tuple[list[str], list[str]]]:
    return [tuple(turn) for turn in turns_of(Sortable(*one) for one in messages)]


def test_a_page_in_which_no_refunded_customer_buys_again_is_one_turn() -> None:
    found = turns(("p1", "ann", False), ("r1", "ann", True), ("p2", "bob", False))
    assert found == [(["p1", "p2"], ["r1"])]


def test_a_purchase_behind_its_customers_refund_begins_a_new_turn() -> None:
    found = turns(
        ("r0", "ann", True), ("p1", "ann", False), ("r1", "ann", True), ("p2", "bob", False)
    )
    assert found == [([], ["r0"]), (["p1", "p2"], ["r1"])]


def test_nothing_makes_no_turn() -> None:
    assert turns() == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_every_message_is_in_one_turn_and_each_customer_keeps_the_order(
    messages: list[tuple[str, bool]],
) -> None:
    numbered = [Sortable(i, who, is_refund) for i, (who, is_refund) in enumerate(messages)]
    sent = [item for turn in turns_of(numbered) for item in (*turn.purchases, *turn.refunds)]
    assert sorted(sent) == list(range(len(messages)))
    for customer in "abc":
        own = [item for item in sent if messages[item][0] == customer]
        assert own == sorted(own)
