from __future__ import annotations

import numpy as np
import pytest

from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.rules.lists import DenyList, Listed
from fraudwatch.domain.rules.rule import HIT, MISS, UNKNOWN, Seen
from fraudwatch.samples import a_token

CARD, DEVICE = a_token("c"), a_token("d")
LISTED = Listed(
    card_token=frozenset({CARD}),
    device_token=frozenset({DEVICE}),
    merchant_id=frozenset({"m-17"}),
    merchant_country=frozenset({"NO"}),
)


def seen(*purchases: tuple[str | None, str | None, str | None, str | None]) -> Seen:
    """Of (card, device, seller, seller's country)."""
    rows = len(purchases)
    return Seen(
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
    assert DenyList(100, LISTED).answer(seen(purchase))[0] == answer


def test_what_no_entry_asks_for_may_be_absent() -> None:
    by_country = Listed(merchant_country=frozenset({"NO"}))
    assert by_country.answer(seen((None, None, None, "DE")))[0] == MISS
    assert by_country.answer(seen(("c", "d", "m", None)))[0] == UNKNOWN


def test_nobody_is_on_an_empty_list() -> None:
    assert not Listed()
    assert Listed().answer(seen((None, None, None, None), ("c", "d", "m", "DE"))).tolist() == [0, 0]


def test_columns_that_were_not_given_are_unknown() -> None:
    bare = Seen(np.full(2, 100), np.full((2, len(FEATURES)), np.nan))
    assert LISTED.answer(bare).tolist() == [UNKNOWN, UNKNOWN]


def test_each_purchase_has_an_answer_of_its_own() -> None:
    looked_at = seen((CARD, "d", "m", "DE"), ("c", "d", "m", "DE"), ("c", None, "m", "NO"))
    assert LISTED.answer(looked_at).tolist() == [HIT, MISS, HIT]


def test_the_sentence_names_what_is_listed_and_no_token() -> None:
    looked_at = seen((CARD, DEVICE, "m-17", "NO"), ("c", "d", "m-17", "DE"))
    deny = DenyList(100, LISTED)
    assert deny.sentence(looked_at, 0) == (
        "On the deny list: the card, the device, the seller m-17, the seller's country NO."
    )
    assert deny.sentence(looked_at, 1) == "On the deny list: the seller m-17."
