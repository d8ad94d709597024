from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.rules.lists import NEVER_EXPIRES, DenyList, ListEntries
from fraudwatch.domain.rules.rule import HIT, MISS, UNKNOWN, RuleInput
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.samples import NOON_MS, a_token

CARD, DEVICE = a_token("c"), a_token("d")
LISTED = ListEntries(
    card_token={CARD: NEVER_EXPIRES},
    device_token={DEVICE: NEVER_EXPIRES},
    merchant_id={"m-17": NEVER_EXPIRES},
    merchant_country={"NO": NEVER_EXPIRES},
)


def inputs(*purchases: tuple[str | None, str | None, str | None, str | None]) -> RuleInput:
    """Return purchases of (card, device, merchant, merchant's country)."""
    rows = len(purchases)
    return RuleInput(
        np.full(rows, 100, dtype=np.int64),
        np.full((rows, len(FEATURES)), np.nan),
        card_token=[purchase[0] for purchase in purchases],
        device_token=[purchase[1] for purchase in purchases],
        merchant_id=[purchase[2] for purchase in purchases],
        merchant_country=[purchase[3] for purchase in purchases],
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
    by_country = ListEntries(merchant_country={"NO": NEVER_EXPIRES})
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


def test_an_entry_counts_until_the_events_own_time_reaches_its_expiry() -> None:
    listed = ListEntries(
        customer_token={CARD: NOON_MS}, ip_network_token={DEVICE: NOON_MS + HOUR_MS}
    )
    batch = RuleInput(
        np.full(4, 100),
        np.full((4, len(FEATURES)), np.nan),
        customer_token=[CARD, CARD, CARD, "other"],
        ip_network_token=["other", "other", DEVICE, DEVICE],
        event_at_ms=NOON_MS + np.array([-1, 0, 0, HOUR_MS]),
    )
    assert listed.answer(batch).tolist() == [HIT, MISS, HIT, MISS]
    deny = DenyList(100, listed)
    assert deny.sentence(batch, 0) == "On the deny list: the customer."
    assert deny.sentence(batch, 2) == "On the deny list: the network."


def test_an_entry_that_expires_is_never_compared_with_a_clock() -> None:
    listed = ListEntries(merchant_id={"m-17": NOON_MS})
    with pytest.raises(ValueError, match="an entry of merchant_id expires"):
        listed.answer(inputs(("c", "d", "m-17", "DE")))


@given(
    offsets=st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=5),
    expires=st.integers(-5, 5),
)
def test_expiry_gives_the_same_answers_however_a_batch_is_split(
    offsets: list[int], cuts: list[int], expires: int
) -> None:
    listed = ListEntries(merchant_id={"m-17": NOON_MS + expires, "m-18": NEVER_EXPIRES})
    merchants = [("m-17", "m-18", None, "m")[abs(offset) % 4] for offset in offsets]
    at_ms = NOON_MS + np.array(offsets, dtype=np.int64)

    def answered(first: int, last: int) -> list[int]:
        rows = len(at_ms[first:last])
        part = RuleInput(
            np.full(rows, 100),
            np.full((rows, len(FEATURES)), np.nan),
            merchant_id=merchants[first:last],
            event_at_ms=at_ms[first:last],
        )
        return [int(one) for one in listed.answer(part)]

    bounds = sorted({0, len(offsets), *(cut for cut in cuts if cut < len(offsets))})
    split = [one for first, last in pairwise(bounds) for one in answered(first, last)]
    assert split == answered(0, len(offsets))
