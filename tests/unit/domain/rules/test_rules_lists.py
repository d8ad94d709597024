from __future__ import annotations

import numpy as np
import pytest

from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.rules.lists import DenyList, ListEntries
from fraudwatch.domain.rules.rule import HIT, MISS, UNKNOWN, RuleInput
from fraudwatch.samples import a_token

CARD, DEVICE = a_token("c"), a_token("d")
LISTED = ListEntries(
    card_token=frozenset({CARD}),
    device_token=frozenset({DEVICE}),
    merchant_id=frozenset({"m-17"}),
    merchant_country=frozenset({"NO"}),
)


def inputs(*purchases: tuple[str | None, str | None, str | None, str | None]) -> RuleInput:
    """Return purchases of (card, device, merchant, merchant's country)."""
    rows = len(purchases)
    return RuleInput(
        np.full(rows, 100, dtype=np.int64),
        np.full((rows, len(FEATURES)), np.nan),
        *([purchase[place] for purchase in purchases] for place in range(4)),
    )


@pytest.mark.parametrize(
    ("purchase", "answer"),
    [
        ((CARD, "d", "m", "DE"), HIT),
        (("c", DEVICE, "m", "DE"), HIT),
        (("c", "d", "m-17", "DE"), HIT),
        (("c", "d", "m", "NO"), HIT),
        (("c", "d", "m", "DE"), MISS),
        ((CARD, None, None, None), HIT),
        (("c", None, "m", "DE"), UNKNOWN),  # the device may be the listed one
        ((DEVICE, CARD, "NO", "m-17"), MISS),  # each column has entries of its own
    ],
)
def test_a_purchase_is_listed_by_any_of_its_columns(
    purchase: tuple[str | None, str | None, str | None, str | None], answer: np.int8
) -> None:
    assert DenyList(100, LISTED).answer(inputs(purchase))[0] == answer


def test_columns_without_entries_may_be_absent() -> None:
    by_country = ListEntries(merchant_country=frozenset({"NO"}))
    assert by_country.answer(inputs((None, None, None, "DE")))[0] == MISS
    assert by_country.answer(inputs(("c", "d", "m", None)))[0] == UNKNOWN


def test_an_empty_list_answers_miss() -> None:
    assert not ListEntries()
    assert ListEntries().answer(
        inputs((None, None, None, None), ("c", "d", "m", "DE"))
    ).tolist() == [
        0,
        0,
    ]


def test_absent_columns_are_unknown() -> None:
    bare = RuleInput(np.full(2, 100), np.full((2, len(FEATURES)), np.nan))
    assert LISTED.answer(bare).tolist() == [UNKNOWN, UNKNOWN]


def test_each_purchase_has_an_answer_of_its_own() -> None:
    batch = inputs((CARD, "d", "m", "DE"), ("c", "d", "m", "DE"), ("c", None, "m", "NO"))
    assert LISTED.answer(batch).tolist() == [HIT, MISS, HIT]


def test_the_sentence_names_listed_entries_and_no_token() -> None:
    batch = inputs((CARD, DEVICE, "m-17", "NO"), ("c", "d", "m-17", "DE"))
    deny = DenyList(100, LISTED)
    assert deny.sentence(batch, 0) == (
        "On the deny list: the card, the device, the merchant m-17, the merchant's country NO."
    )
    assert deny.sentence(batch, 1) == "On the deny list: the merchant m-17."
