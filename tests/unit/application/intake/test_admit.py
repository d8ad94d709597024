from __future__ import annotations

import dataclasses
import re
from decimal import Decimal
from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS, Edge
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Sensitivity, columns_of, problems
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.transaction import WatchListCountry
from fraudwatch.domain.money import Rate, RateTable
from fraudwatch.domain.watch_lists import NameMatch
from fraudwatch.samples import NOON_MS, a_purchase

TOKENS = ("customer_token", "card_token", "device_token", "ip_token", "ip_network_token")
RATES = RateTable(
    [
        Rate("2026-01-01", "GBP", Decimal("0.80")),
        Rate("2026-01-01", "JOD", Decimal("0.767")),
        Rate("2026-01-01", "XTS", Decimal("0.5")),  # the standard gives it no decimals
    ]
)


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return Edge(TinkVault(tmp_path), RATES)


def test_an_admitted_purchase_is_a_valid_transaction(edge: Edge) -> None:
    transaction = edge.admit(a_purchase(currency="GBP", amount_minor=800), now_ms=NOON_MS)
    assert problems(transaction) == []
    assert transaction.transaction_id == "shop:1"
    assert (transaction.amount_eur_cents, transaction.rate_on) == (1_000, "2026-01-01")
    assert (transaction.card_bin, transaction.card_last4) == ("411111", "1111")
    assert (transaction.purchase_latitude, transaction.purchase_longitude) == (52.52, 13.38)


@pytest.mark.parametrize(
    ("currency", "amount_minor", "eur_cents"),
    [
        ("JOD", 76_700, 10_000),
        ("EUR", 10**13, 10**13),
        ("GBP", 8 * 10**12, 10**13),
        ("GBP", 7_999_999_999_999, 9_999_999_999_999),  # ...998.75 cents
        ("EUR", -0, 0),
    ],
)
def test_amounts_up_to_the_largest_are_converted_exactly(
    edge: Edge, currency: str, amount_minor: int, eur_cents: int
) -> None:
    purchase = a_purchase(currency=currency, amount_minor=amount_minor)
    made = edge.admit(purchase, now_ms=NOON_MS)
    assert (made.amount_minor, made.amount_eur_cents) == (amount_minor, eur_cents)
    assert b'"amount_minor":-' not in encode(made)


def test_nothing_personal_leaves_in_clear(edge: Edge) -> None:
    purchase = a_purchase(card_id="my-card-4711")
    text = encode(edge.admit(purchase, now_ms=NOON_MS)).decode()
    personal = [c.name for c in columns_of(Purchase) if c.fact.sensitivity is Sensitivity.PERSONAL]
    assert len(personal) == 8
    for name in personal:
        assert getattr(purchase, name) not in text, name


def test_sealed_fields_open_with_every_personal_field(edge: Edge) -> None:
    sent = a_purchase(card_id="my-card-4711")
    transaction = edge.admit(sent, now_ms=NOON_MS)
    assert transaction.sealed is not None
    opened = edge.vault.open(
        transaction.customer_token, transaction.transaction_id, transaction.sealed
    )
    personal = [c.name for c in columns_of(Purchase) if c.fact.sensitivity is Sensitivity.PERSONAL]
    assert opened == {name: getattr(sent, name) for name in personal}


def test_a_source_that_never_sees_numbers_names_its_cards(edge: Edge) -> None:
    plain = {"card_number": None, "card_bin": "41111122", "card_last4": "1111"}
    one, again = (
        edge.admit(a_purchase(id=n, card_id="card-7", **plain), now_ms=NOON_MS) for n in "12"
    )
    assert problems(one) == []
    assert (one.card_token, one.card_bin, one.card_last4) == (again.card_token, "411111", "1111")
    others = [
        a_purchase(card_id="card-8", **plain),
        a_purchase(card_id="card-7", source="bank", **plain),
        a_purchase(card_number="4111111111111111"),
    ]
    tokens = {edge.admit(other, now_ms=NOON_MS).card_token for other in others}
    assert len(tokens | {one.card_token}) == 4
    # Neither is a name that is written like a number the card of that number.
    number = "4111111111111111"
    named = edge.admit(a_purchase(card_number=None, card_id=number), now_ms=NOON_MS)
    assert named.card_token not in tokens
    assert (named.card_bin, named.card_last4) == (None, None)


def test_a_known_number_is_used_before_the_name_of_a_card(edge: Edge) -> None:
    both = a_purchase(card_id="card-7", card_bin="555555", card_last4="0000")
    admitted, plain = (edge.admit(p, now_ms=NOON_MS) for p in (both, a_purchase()))
    assert (admitted.card_token, admitted.card_bin) == (plain.card_token, plain.card_bin)
    assert admitted.card_last4 == "1111"


def test_a_customer_has_one_token_and_sources_are_separate(edge: Edge) -> None:
    def token(**changes: str) -> str:
        return edge.admit(a_purchase(**changes), now_ms=NOON_MS).customer_token

    assert token(id="1") == token(id="2", name="Somebody Else")
    assert token(source="shop") != token(source="bank")


def test_no_token_of_a_sandbox_equals_a_real_one_and_nothing_is_sealed(edge: Edge) -> None:
    sandbox = dataclasses.replace(edge, is_sandbox=True)
    made = sandbox.admit(a_purchase(), now_ms=NOON_MS)
    assert problems(made) == []
    assert made.sealed is None
    with pytest.raises(KeyError):  # no key was made for the customer either
        edge.vault.open(made.customer_token, made.transaction_id, "")
    names = [name for name in TOKENS if getattr(made, name) is not None]
    assert len(names) == len(TOKENS)
    # Whatever a real client sends, also the text of the namespace.
    for changes in ({}, {"customer_id": "sandbox\0shop:customer-1"}):
        real = edge.admit(a_purchase(**changes), now_ms=NOON_MS)
        assert {getattr(real, n) for n in TOKENS}.isdisjoint(getattr(made, n) for n in TOKENS)
    again = sandbox.admit(a_purchase(id="2"), now_ms=NOON_MS)
    assert again.customer_token == made.customer_token


def test_unknown_stays_unknown(edge: Edge) -> None:
    bare = {c.name: None for c in columns_of(Purchase) if c.is_optional}
    transaction = edge.admit(dataclasses.replace(a_purchase(), **bare), now_ms=NOON_MS)
    for name in ("card_token", "card_bin", "device_token", "ip_token", "purchase_latitude"):
        assert getattr(transaction, name) is None, name


class OneEntry:
    """Lists with one entry for every name; keeps what was looked up."""

    def __init__(self) -> None:
        self.looked_up: list[tuple[str, frozenset[str]]] = []

    def best_match(self, name: str, countries: frozenset[str]) -> NameMatch:
        self.looked_up.append((name, countries))
        return NameMatch("x@0a1b2c3d:NK-1", 0.9524, WatchListCountry.SAME)


def test_a_name_is_screened_and_stays_sealed(tmp_path: Path) -> None:
    lists = OneEntry()
    edge = Edge(TinkVault(tmp_path), RATES, lists)
    purchase = a_purchase(name="Grimwald Quastelbrook", billing_country="DE", shipping_country="FR")
    transaction = edge.admit(purchase, now_ms=NOON_MS)
    assert lists.looked_up == [("Grimwald Quastelbrook", frozenset({"DE", "FR"}))]
    assert problems(transaction) == []
    assert transaction.watch_list_entry == "x@0a1b2c3d:NK-1"
    assert transaction.watch_list_similarity == 0.9524
    assert transaction.watch_list_country is WatchListCountry.SAME
    assert "Quastelbrook" not in encode(transaction).decode()


def test_a_purchase_without_a_name_is_never_matched(tmp_path: Path) -> None:
    lists = OneEntry()
    edge = Edge(TinkVault(tmp_path), RATES, lists)
    transaction = edge.admit(a_purchase(name=None), now_ms=NOON_MS)
    assert transaction.watch_list_entry is None
    assert transaction.watch_list_similarity is None
    assert lists.looked_up == []


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"amount_minor": -1}, Code.OUT_OF_BOUNDS, "amount_minor"),
        ({"card_number": "4111 1111 1111 1111"}, Code.OUT_OF_BOUNDS, "card_number"),
        ({"ip": "300.1.1.1"}, Code.OUT_OF_BOUNDS, "ip"),
        ({"purchase_latitude": float("nan")}, Code.OUT_OF_BOUNDS, "purchase_latitude"),
        ({"currency": "XXX"}, Code.UNKNOWN_CURRENCY, "currency"),
        ({"currency": "XTS"}, Code.UNKNOWN_CURRENCY, "currency"),
        ({"currency": "VND"}, Code.MISSING_RATE, "currency"),
        # 8,000,000,000,001 pence are more than 10**13 euro cents.
        ({"currency": "GBP", "amount_minor": 8 * 10**12 + 1}, Code.OUT_OF_BOUNDS, "amount_minor"),
        (
            {"event_at_ms": NOON_MS + FUTURE_TOLERANCE_MS + 1},
            Code.FUTURE_EVENT,
            "event_at_ms",
        ),
    ],
)
def test_a_refusal_names_the_field_and_never_its_value(
    edge: Edge, changes: dict[str, object], code: Code, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        edge.admit(a_purchase(**changes), now_ms=NOON_MS)
    assert refused.value.code is code
    assert [problem.field for problem in refused.value.problems] == [field]
    if field in {"card_number", "ip"}:
        assert not re.search(re.escape(str(changes[field])), str(refused.value))


def test_small_clock_skew_is_admitted(edge: Edge) -> None:
    ahead = a_purchase(event_at_ms=NOON_MS + FUTURE_TOLERANCE_MS)
    assert edge.admit(ahead, now_ms=NOON_MS).event_at_ms == NOON_MS + FUTURE_TOLERANCE_MS
