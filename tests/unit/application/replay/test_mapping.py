from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping

if TYPE_CHECKING:
    from tests.unit.application.replay.conftest import WriteMapping

SHIPPED = Path(__file__).parents[4] / "contracts" / "datasets"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"fields.chanel": "present"}, "fields.chanel: a purchase has no such field"),
        ({"fields.merchant_id": None}, "fields.merchant_id: is required"),
        ({"fields.payment_status": "paid"}, "fields.payment_status: must be one of approved,"),
        ({"fields.currency": "euro"}, "fields.currency: does not match [A-Z]{3}"),
        ({"fields.item_count": "some"}, "fields.item_count: must be int"),
        ({"fields.id": "1"}, "fields.id: is the same for every row"),
        ({"fields.id": "{no"}, "fields.id: has a brace without its partner"),
        ({"fields.id": {"no": None}}, "fields.id: must be text; put quotation marks around it"),
        ({"fields.category": "{fraud}"}, "fields.category: reads fraud, which never_read forbids"),
        ({"fields.name": "{join.fraud}"}, "fields.name: reads join.fraud, which never_read"),
        ({"fields.name": "{join.first}"}, "join: is missing, but join.first is read"),
        ({"fields.event_at_ms": "{row_number}"}, "fields.event_at_ms: must be made of the data"),
        ({"join": {"file": "c.parquet", "by": "fraud"}}, "join: its key is a column that never_"),
        ({"join": {"file": "c.parquet"}}, "join.by: Field required"),
        ({"values.channel": {"*": "online"}}, "values.channel.*: must be one of present,"),
        ({"values.channel": {"a*b": "present"}}, "values.channel.a*b: one * only"),
        ({"values.id": {"*": "1"}}, "values.id: is allowed only for a field"),
        ({"values.name": {"*": "x"}}, "values.name: is allowed only for a field under fields"),
        ({"time.zone": "Mars/North"}, "time.zone: is no time zone"),
        ({"time.epoch": "s"}, "time: give text or epoch, not both"),
        ({"amount": "cents"}, "amount: Input should be 'major' or 'minor'"),
        ({"never_read": None}, "never_read: Field required"),
        ({"labels": ["fraud"]}, "labels: no such key"),
    ],
)
def test_a_wrong_key_is_named_with_its_reason(
    change: dict[str, Any], sentence: str, mapping: dict[str, Any], write_mapping: WriteMapping
) -> None:
    for path, value in change.items():
        *parents, last = path.split(".", 1)
        place = mapping[parents[0]] if parents else mapping
        if value is None:
            del place[last]
        else:
            place[last] = value
    path_ = write_mapping(mapping)
    with pytest.raises(WrongMapping) as refused:
        load_mapping(path_)
    assert sentence in str(refused.value)
    assert str(path_) in str(refused.value)


def test_every_wrong_key_is_reported_at_once(
    mapping: dict[str, Any], write_mapping: WriteMapping
) -> None:
    mapping["fields"] |= {"currency": "euro", "payment_status": "paid"}
    with pytest.raises(WrongMapping) as refused:
        load_mapping(write_mapping(mapping))
    assert "fields.currency" in str(refused.value)
    assert "fields.payment_status" in str(refused.value)


@pytest.mark.parametrize("text", ["", "- a list", "about: [", "\x00"])
def test_a_file_that_is_no_mapping_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WrongMapping, match=r"broken\.yaml"):
        load_mapping(path)


@pytest.mark.parametrize(
    ("name", "labels"),
    [("handbook", {"TX_FRAUD", "TX_FRAUD_SCENARIO"}), ("sparkov", {"is_fraud"})],
)
def test_shipped_mappings_are_valid_and_forbid_labels(name: str, labels: set[str]) -> None:
    shipped = load_mapping(SHIPPED / f"{name}.yaml")
    assert set(shipped.never_read) == labels
    assert not labels & {*shipped.data_columns, *shipped.joined_columns}
