"""JSON records as payment providers send them: columns named by paths, in files and alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.json_path import is_part_of, value_at
from fraudwatch.adapters.datasets.labels import labels_of
from fraudwatch.adapters.datasets.layout import UnreadableFile
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping, load_mapping
from fraudwatch.adapters.datasets.records import LEFT_OUT, RecordMapper
from fraudwatch.adapters.datasets.suggestion import suggested
from fraudwatch.domain.messages.dead_letter import Code, Refused

SHIPPED = Path(__file__).parents[4] / "contracts" / "datasets"
AT_S = 1_717_400_000


def provider() -> Mapping:
    return load_mapping(SHIPPED / "payment_provider.yaml")


def an_event(number: int = 1, kind: str = "charge.succeeded", **more: Any) -> dict[str, Any]:
    """Return a made-up event in the shape of a payment provider's."""
    charge = {
        "id": f"ch_{number}",
        "created": AT_S + number,
        "amount": 1234,
        "currency": "eur",
        "customer": f"cus_{number}",
        "payment_method_details": {"card": {"fingerprint": "Xt5E", "last4": "0042"}},
        "billing_details": {"email": "a@b.example", "address": {"country": "DE"}},
        "metadata": {"category": "books", "items": 3},
        "disputed": number % 2 == 0,
    }
    event: dict[str, Any] = {"id": f"evt_{number}", "type": kind}
    return event | {"data": {"object": charge | more}}


def a_mapping(**keys: Any) -> Mapping:
    fields = {
        "source": "psp",
        "id": "{$.id}",
        "event_at_ms": "{$.at}",
        "customer_id": "{$.payer['customer id']}",
        "amount_minor": "{$.amounts[0].value}",
        "currency": "{$.amounts[-1].currency}",
        "payment_status": "approved",
        "channel": "not_present",
        "merchant_id": "own",
    }
    plain = {"about": "records", "never_read": [], "time": {"epoch": "ms"}, "amount": "minor"}
    return Mapping.model_validate(plain | {"fields": fields | keys.pop("fields", {})} | keys)


def a_record(**more: Any) -> dict[str, Any]:
    amounts = [{"value": 250, "currency": "EUR"}]
    record = {"id": "p1", "at": AT_S * 1000, "payer": {"customer id": "c1"}, "amounts": amounts}
    return record | more


def in_file(folder: Path, *records: Any, name: str = "rows.ndjson") -> Path:
    path, text = folder / name, "".join(f"{json.dumps(one)}\n" for one in records)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def sent_of(dataset: DatasetFile) -> list[bytes]:
    return [body for batch in dataset.batches(0, 100) for body in batch.bodies]


def mapped(mapping: Mapping, *records: Any) -> list[bytes | Refused]:
    return RecordMapper(mapping).mapped([json.dumps(one).encode() for one in records])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.a.b[1].c", 2),
        ("$.a.b[-1].c", 2),
        ("a.b.1.c", 2),
        ("$['odd name'].x", 3),
        ("$.a['b'][0]['c']", 1),
        ("dotted.name", 4),
        ("$.a.b[2].c", None),
        ("$.a.b[-3].c", None),
        ("$.a.b.c", None),
        ("$.a[0]", None),
        ("$.none.at.all", None),
    ],
)
def test_a_path_names_one_value(path: str, value: Any) -> None:
    record = {"a": {"b": [{"c": 1}, {"c": 2}]}, "odd name": {"x": 3}, "dotted.name": 4}
    assert value_at(record, path) == value


@pytest.mark.parametrize(
    "path",
    ["$..amount", "$.items[*].price", "$.items[?(@.a)]", "$.a.", "$.a[1", "$[one]", "$.a b]"],
)
def test_what_is_more_than_a_path_is_refused_with_an_example(path: str) -> None:
    with pytest.raises(ValueError, match=r"fields.category: .* is no path of names and indices"):
        a_mapping(fields={"category": f"{{{path}}}"})


@pytest.mark.parametrize(
    ("barred", "column"),
    [
        ("$.label", "$.label"),
        ("$.label", "label"),
        ("label", "$.label"),
        ("$.label", "$['label'].at"),
        ("$.labels[0]", "labels.0.at"),
    ],
)
def test_a_label_cannot_be_read_by_another_spelling(barred: str, column: str) -> None:
    with pytest.raises(ValueError, match="which never_read forbids"):
        a_mapping(never_read=[barred], fields={"category": f"{{{column}}}"})


def test_a_column_of_a_table_is_no_part_of_another() -> None:
    assert not is_part_of("label.date", "label")
    assert not is_part_of("$.labels", "$.label")


@pytest.mark.parametrize("name", ["rows.ndjson", "rows.jsonl", "rows.jsonl.gz"])
def test_a_record_alone_becomes_what_it_becomes_in_a_file(tmp_path: Path, name: str) -> None:
    records = [an_event(1), an_event(2, "charge.failed", amount=10**12), an_event(3, customer=None)]
    path = in_file(tmp_path, *records, an_event(4, "payout.paid"), name=name)
    dataset = DatasetFile(path, provider())
    assert dataset.left_out == 1
    assert sent_of(dataset) == mapped(provider(), *records)
    first, second, third = (json.loads(body) for body in sent_of(dataset))
    assert (first["event_at_ms"], first["amount_minor"]) == ((AT_S + 1) * 1000, 1234)
    assert (first["currency"], first["card_last4"], first["item_count"]) == ("EUR", "0042", 3)
    assert (first["payment_status"], first["channel"]) == ("approved", "not_present")
    assert (second["payment_status"], second["amount_minor"]) == ("declined", 10**12)
    assert third["customer_id"] == "Xt5E"


def test_labels_are_read_by_the_same_paths(tmp_path: Path) -> None:
    mapping, path = provider(), in_file(tmp_path, an_event(1), an_event(2))
    assert mapping.label is not None
    assert labels_of(path, mapping.label, mapping).to_list() == [False, True]


def test_a_field_that_no_record_has_is_absent_and_named_in_a_warning(tmp_path: Path) -> None:
    dataset = DatasetFile(in_file(tmp_path, an_event()), provider())
    assert json.loads(sent_of(dataset)[0])["ip"] is None
    assert [w for w in dataset.warnings if "$.data.object.metadata.ip" in w] == [
        (
            "No object has a value at $.data.object.metadata.ip, so it counts as absent everywhere;"
            " correct the name if the file should have it."
        )
    ]


def test_a_required_field_that_no_record_has_is_refused(tmp_path: Path) -> None:
    path = in_file(tmp_path, an_event(1, amount=None), an_event(2, amount=None))
    with pytest.raises(WrongMapping, match=r"no object has a value at \$.data.object.amount"):
        DatasetFile(path, provider())


def test_a_list_in_place_of_a_value_is_refused_by_path_and_row(tmp_path: Path) -> None:
    path = in_file(tmp_path, an_event(1), an_event(2, amount=["SECRET"]))
    with pytest.raises(WrongMapping) as caught:
        DatasetFile(path, provider())
    assert str(caught.value) == (
        "rows.ndjson, row 2: $.data.object.amount is no single value; name one within it, as in"
        " {$.data.object.amount.NAME} or {$.data.object.amount[0]}"
    )


def test_a_line_that_is_no_object_is_refused_by_its_number(tmp_path: Path) -> None:
    path = in_file(tmp_path, an_event(1), ["SECRET"])
    with pytest.raises(UnreadableFile, match=r"^rows.ndjson, row 2: is no JSON object"):
        DatasetFile(path, provider())


def test_a_record_that_does_not_fit_is_refused_with_its_path_and_without_its_value() -> None:
    records: list[Any] = [
        an_event(1, amount="SECRET"),
        an_event(2, amount={"SECRET": 1}),
        an_event(3, created=None),
        an_event(4, currency="SEC"),
        an_event(5, id=None),
        ["SECRET"],
        an_event(7),
        an_event(8, "customer.created"),
    ]
    results = mapped(provider(), *records)
    assert isinstance(results[6], bytes)
    assert results[7] is LEFT_OUT
    path = "column $.data.object"
    assert [one.reason for one in results[:6] if isinstance(one, Refused)] == [
        f"amount_minor ({path}.amount) is no decimal number such as 12.34",
        f"{path}.amount is no single value",
        f"event_at_ms ({path}.created) is absent or no such time",
        (
            f"currency ({path}.currency) has no number of decimals in ISO 4217, so its amounts"
            " cannot be read"
        ),
        f"id ({path}.id) is absent",
        "record is no JSON object",
    ]


@pytest.mark.parametrize("payload", [b"{", b'{"id":"\xff"}', b"[" * 100_000])
def test_what_is_no_json_is_refused_as_such(payload: bytes) -> None:
    [why] = RecordMapper(provider()).mapped([payload])
    assert isinstance(why, Refused)
    assert why.code is Code.NOT_JSON


def test_half_of_a_surrogate_pair_keeps_no_page_from_being_read(tmp_path: Path) -> None:
    record = an_event(1, metadata={"category": "\ud83d"})
    [alone] = mapped(provider(), record)
    assert isinstance(alone, bytes)
    assert [alone] == sent_of(DatasetFile(in_file(tmp_path, record), provider()))


def test_amounts_stay_exact_beyond_binary_numbers() -> None:
    mapping = a_mapping(amount="major", decimal=".")
    [body] = mapped(mapping, a_record(amounts=[{"value": "90071992547.41", "currency": "EUR"}]))
    assert isinstance(body, bytes)
    assert json.loads(body)["amount_minor"] == 9_007_199_254_741
    payload = json.dumps(a_record()).encode().replace(b"250", b"90071992547.41")
    [number] = RecordMapper(mapping).mapped([payload])
    assert number == body


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"fields": {"id": "{file_hash}-{row_number}"}}, "fields.id: .* is of a file"),
        ({"join": {"file": "x.csv", "by": "id"}}, "join: a feed has no second file"),
        ({"amount": "major"}, "decimal: is required"),
        ({"format": "csv"}, "format: must be json or json_lines"),
        ({"time": {}}, "time: .* has type String; give its format"),
    ],
)
def test_a_mapping_that_needs_a_file_is_refused_for_records(
    keys: dict[str, Any], reason: str
) -> None:
    with pytest.raises(WrongMapping, match=reason):
        RecordMapper(a_mapping(**keys))


def test_a_mapping_is_suggested_for_nested_records(tmp_path: Path) -> None:
    found = yaml.safe_load(suggested(in_file(tmp_path, an_event(1), an_event(2))))
    assert found["time"] == {"epoch": "s"}
    assert found["fields"]["event_at_ms"] == "{data.object.created}"
    assert found["fields"]["amount_minor"] == "{data.object.amount}"
    assert found["fields"]["currency"] == "{data.object.currency}"


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ({"$.kind": ["sale", "auth*"]}, [True, True, False, False]),
        ({"$.kind": ["*"]}, [True, True, True, False]),
        ({"$.kind": ["sale"], "$.id": ["p2"]}, [False, False, False, False]),
    ],
)
def test_only_keeps_records_of_the_named_values(
    only: dict[str, list[str]], found: list[bool]
) -> None:
    kinds = ("sale", "authorised", "refund", None)
    results = mapped(a_mapping(only=only), *(a_record(kind=kind) for kind in kinds))
    assert [one is not LEFT_OUT for one in results] == found


def test_only_is_checked_like_every_key() -> None:
    with pytest.raises(ValueError, match=r"only.row_number: must be a column of the data file"):
        a_mapping(only={"row_number": ["1"]})
    with pytest.raises(ValueError, match=r"only.\$.kind.a\*b: one \* only"):
        a_mapping(only={"$.kind": ["a*b"]})
    with pytest.raises(ValueError, match=r"only.\$.kind: reads \$.kind, which never_read forbids"):
        a_mapping(never_read=["kind"], only={"$.kind": ["a"]})
