from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import Any

import pytest

from fraudwatch.adapters.codecs.purchase_content import content_of
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus, Purchase
from fraudwatch.domain.privacy import is_other_content
from fraudwatch.samples import a_purchase


def changed(purchase: Purchase, name: str) -> Purchase:
    value = getattr(purchase, name)
    if isinstance(value, PaymentStatus):
        other: Any = next(one for one in PaymentStatus if one is not value)
    elif isinstance(value, Channel):
        other = next(one for one in Channel if one is not value)
    elif isinstance(value, str) or value is None:
        other = f"{value}x"
    else:
        other = value + 1
    return replace(purchase, **{name: other})


@pytest.mark.parametrize("name", [field.name for field in fields(Purchase)])
def test_each_field_is_part_of_the_content(name: str) -> None:
    purchase = a_purchase()
    assert content_of(changed(purchase, name)) != content_of(purchase)
    assert content_of(replace(purchase)) == content_of(purchase)


def test_absent_fields_leave_no_trace() -> None:
    bare = replace(a_purchase(), category=None, item_count=None)
    assert b"category" not in content_of(bare)
    assert b"item_count" not in content_of(bare)


@pytest.mark.parametrize(
    "text",
    ['","item_count":null', ',"item_count":null', "null", '"', "\\", 'x,"ip":null,"name":null'],
)
def test_values_cannot_pass_for_absent_fields(text: str) -> None:
    purchase = replace(a_purchase(), merchant_id=text, category="c", ip=None)
    content = json.loads(content_of(purchase))
    assert content["merchant_id"] == text
    assert content == {k: v for k, v in asdict(purchase).items() if v is not None}


@pytest.mark.parametrize(
    ("known", "presented", "is_other"),
    [
        ("0a_x", "0a_x", False),
        ("0a_x", "0a_y", True),
        ("0a_x", "0b_y", False),  # under another key: not comparable
        (None, "0a_x", False),
        ("0a_x", None, False),
    ],
)
def test_contents_are_compared_under_one_key(
    known: str | None, presented: str | None, *, is_other: bool
) -> None:
    assert is_other_content(known, presented) is is_other
