from __future__ import annotations

import json
from typing import Any

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.submitted import read_purchase
from fraudwatch.domain.messages.fields import columns_of, problems
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.purchase_cleaning import (
    OPTIONAL_FIELDS,
    FieldOutcome,
    clean_purchase,
)
from fraudwatch.samples import a_purchase

SENT: dict[str, Any] = json.loads(encode(a_purchase()))
JUNK: tuple[Any, ...] = ("", "  ", "x" * 2_000, "\u2603", -1e9, 10**40, True, [], {}, [1], 0.5)


def test_a_usable_purchase_is_not_changed() -> None:
    cleaned = clean_purchase(SENT)
    assert (cleaned.fields, cleaned.warnings, cleaned.ignored) == (SENT, (), ())
    assert read_purchase(encode(SENT)) == a_purchase()


@pytest.mark.parametrize(
    ("field", "sent", "used"),
    [
        ("ip", "203.0.113.9:51234", "203.0.113.9"),
        ("billing_country", "de", "DE"),
        ("merchant_country", " fr ", "FR"),
        ("card_number", "4111 1111-1111 1111", "4111111111111111"),
        ("card_number", 4111111111111111, "4111111111111111"),
        ("phone", "+49 151 123-45678", "+4915112345678"),
        ("item_count", 3.0, 3),
        ("device_id", 17, "17"),
    ],
)
def test_a_field_with_an_obvious_meaning_is_cleaned(field: str, sent: Any, used: Any) -> None:
    cleaned = clean_purchase(SENT | {field: sent})
    assert cleaned.fields[field] == used
    [warning] = cleaned.warnings
    assert (warning.field, warning.outcome) == (field, FieldOutcome.CLEANED)


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("ip", "unknown"),
        ("ip", ""),
        ("ip", 17.5),
        ("billing_country", "USA"),
        ("billing_country", ""),
        ("card_number", "60416207185"),
        ("card_number", "4.11E+15"),
        ("email", ""),
        ("device_id", " "),
        ("category", "x" * 65),
        ("item_count", -1),
        ("item_count", 1.5),
        ("item_count", "three"),
        ("item_count", True),
        ("purchase_latitude", 91),
        ("phone", "0151 1234567"),
        ("applied_default", "challenge"),
        ("name", {"first": "Erika"}),
    ],
)
def test_an_unusable_field_is_unknown_and_the_purchase_is_read(field: str, sent: Any) -> None:
    document = SENT | {field: sent}
    [warning] = clean_purchase(document).warnings
    assert (warning.field, warning.outcome) == (field, FieldOutcome.UNKNOWN)
    assert str(sent) not in warning.reason or not str(sent).strip()
    read = read_purchase(encode(document))
    assert getattr(read, field) is None
    assert problems(read) == []


@pytest.mark.parametrize("field", OPTIONAL_FIELDS)
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: str(junk)[:8])
def test_no_junk_in_an_optional_field_refuses_a_purchase(field: str, junk: Any) -> None:
    read = read_purchase(encode(SENT | {field: junk}))
    assert problems(read) == []
    assert read.amount_minor == SENT["amount_minor"]


def test_a_position_of_0_0_is_no_place_and_one_of_them_is() -> None:
    for place in ("purchase", "billing", "shipping"):
        pair = {f"{place}_latitude": 0, f"{place}_longitude": -0.0}
        cleaned = clean_purchase(SENT | pair)
        assert pair.keys().isdisjoint(cleaned.fields)
        assert {warning.field for warning in cleaned.warnings} == pair.keys()
    on_the_equator = clean_purchase(SENT | {"purchase_latitude": 0.0})
    assert on_the_equator.warnings == ()


def test_required_fields_are_never_changed() -> None:
    required = {column.name for column in columns_of(Purchase)} - set(OPTIONAL_FIELDS)
    for name in required:
        for junk in JUNK:
            cleaned = clean_purchase(SENT | {name: junk})
            assert cleaned.fields[name] == junk
            assert cleaned.warnings == ()


def test_absent_is_no_warning_and_unknown_names_are_listed() -> None:
    cleaned = clean_purchase(SENT | {"ip": None, "itemCount": 60, "": 1})
    assert cleaned.warnings == ()
    assert cleaned.ignored == ("", "itemCount")
