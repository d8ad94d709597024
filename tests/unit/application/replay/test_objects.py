from __future__ import annotations

from typing import Any

import pytest

from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping
from fraudwatch.adapters.datasets.objects import purchases_of_objects


def mapping_of(**keys: Any) -> Mapping:
    fields = {
        "source": "feed",
        "id": "{transaction.ref}",
        "event_at_ms": "{date_time}",
        "customer_id": "{customer.id}",
        "amount_minor": "{transaction.amount}",
        "currency": "{transaction.currency}",
        "payment_status": "approved",
        "channel": "not_present",
        "merchant_id": "{merchant_details.0.name}",
    } | keys.pop("fields", {})
    plain = {"about": "", "never_read": [], "time": {"text": "%Y-%m-%dT%H:%M:%S"}}
    return Mapping.model_validate(plain | {"amount": "major", "fields": fields} | keys)


def item(**changes: Any) -> dict[str, Any]:
    return {
        "date_time": "2026-03-01T10:00:00",
        "customer": {"id": 7},
        "transaction": {"ref": "a-1", "amount": 19.99, "currency": "EUR"},
        "merchant_details": [{"name": "shop"}],
    } | changes


def test_objects_of_another_shape_become_purchases_by_their_paths() -> None:
    found = purchases_of_objects([item()], mapping_of())
    assert found.bad == {}
    [purchase] = found.purchases.to_dicts()
    assert (purchase["id"], purchase["customer_id"], purchase["merchant_id"]) == (
        "a-1",
        "7",
        "shop",
    )
    assert (purchase["amount_minor"], purchase["event_at_ms"]) == (1999, 1_772_359_200_000)


def test_an_object_that_makes_no_purchase_is_named_by_field_without_its_value() -> None:
    broken = [item(), item(customer={"id": {"no": 1}}), item(date_time="soon")]
    bad = purchases_of_objects(broken, mapping_of()).bad
    assert {position: str(one) for position, one in bad.items()} == {
        1: "row 2: customer_id (column customer.id) is absent",
        2: "row 3: event_at_ms (column date_time) is absent",
    }


@pytest.mark.parametrize(
    "keys",
    [
        {"fields": {"id": "{row_number}"}},
        {"leave_out": {"kind": ["REFUND"]}},
        {"join": {"file": "cards.csv", "by": "customer.id"}},
    ],
)
def test_a_mapping_that_needs_a_file_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(WrongMapping, match="belongs to a file"):
        purchases_of_objects([item()], mapping_of(**keys))
