"""Numbers, words for absent, fallbacks, arithmetic and rows to leave out."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.adapters.datasets.expressions import NO_NUMBER, Expression, WrongExpression
from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.datasets.number_text import NumberFormat

FIELDS = {
    "source": "keys",
    "id": "{id}",
    "event_at_ms": "{at}",
    "customer_id": "{who}",
    "amount_minor": "{amt}",
    "currency": "EUR",
    "payment_status": "approved",
    "channel": "present",
    "merchant_id": "m",
}


def opened(tmp_path: Path, text: str, fields: dict[str, str] | None = None, **keys: Any) -> Any:
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    mapping = {"about": "", "never_read": [], "time": {"text": "%Y-%m-%d"}, "amount": "major"}
    mapping |= {"fields": FIELDS | (fields or {})} | keys
    return DatasetFile(path, Mapping.model_validate(mapping))


def converted(dataset: DatasetFile) -> tuple[list[dict[str, Any]], list[str]]:
    batches = list(dataset.batches(0, 100))
    items = [json.loads(body) for batch in batches for body in batch.bodies]
    return items, [str(bad) for batch in batches for bad in batch.bad]


def amounts(tmp_path: Path, *texts: str, **keys: Any) -> tuple[list[int], list[str]]:
    rows = "".join(f'{i},2026-01-01,c,"{text}"\n' for i, text in enumerate(texts))
    items, bad = converted(opened(tmp_path, f"id,at,who,amt\n{rows}", **keys))
    return [one["amount_minor"] for one in items], bad


@pytest.mark.parametrize(
    ("keys", "text", "minor"),
    [
        ({"decimal": ","}, "1.234,56", 123456),
        ({"decimal": ","}, "1.234", 123400),
        ({"decimal": ",", "grouping": ""}, "1234,5", 123450),
        ({"decimal": ",", "grouping": " "}, "1\u202f234,5", 123450),
        ({"grouping": ","}, "1,234,567.89", 123456789),
        ({"grouping": ","}, "12,34,567.89", 123456789),
        ({"grouping": "'"}, "1\u2019234.50", 123450),
        ({"currency_signs": ["$"]}, "$ 12.50", 1250),
        ({"currency_signs": ["€", "EUR"], "decimal": ","}, "12,50 EUR", 1250),
        ({"negative": "flip"}, "-12.50", 1250),
        ({"negative": "flip"}, "12.50-", 1250),
        ({"negative": "flip", "currency_signs": ["$"]}, "-$12.50", 1250),
        ({"negative": "flip", "currency_signs": ["$"]}, "($12.50)", 1250),
        ({"negative": "absolute"}, "\u221212.50", 1250),
        ({"negative": "absolute"}, "12.50", 1250),
        ({"decimal": "."}, "1.234", 123),
    ],
)
def test_an_amount_is_read_as_it_is_written(
    keys: dict[str, Any], text: str, minor: int, tmp_path: Path
) -> None:
    assert amounts(tmp_path, text, **keys) == ([minor], [])


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"decimal": ","}, "1.23"),
        ({"decimal": ","}, "1.2345,00"),
        ({"grouping": ","}, "1,23"),
        ({"grouping": ","}, "12.34.56"),
        ({}, "12,50"),
        ({}, "$12.50"),
        ({"currency_signs": ["$"]}, "$"),
        ({"negative": "flip"}, "--12"),
        ({}, "(12"),
        ({}, "99999999999999999999"),
    ],
)
def test_what_is_no_number_in_its_format_is_a_bad_row(
    keys: dict[str, Any], text: str, tmp_path: Path
) -> None:
    reason = "row 1: amount_minor (column amt) is no decimal number such as 12.34"
    assert amounts(tmp_path, text, **keys) == ([], [reason])


def test_a_negative_amount_is_refused_unless_the_mapping_says_what_it_is(tmp_path: Path) -> None:
    _, [reason] = amounts(tmp_path, "12.50-")
    assert "must lie between 0 and" in reason
    _, [reason] = amounts(tmp_path, "12.50", negative="flip")
    assert "must lie between 0 and" in reason


SUSPECT = "amount_minor (column amt) may be a thousand or a decimal number"


def test_a_point_before_three_digits_is_suspect_where_a_comma_occurs(tmp_path: Path) -> None:
    found, bad = amounts(tmp_path, "12,50", "1.234", "3.5", "100")
    assert found == [350, 10000]
    assert [SUSPECT in one for one in bad] == [False, True]


def test_a_point_before_three_digits_is_suspect_where_there_is_no_other(tmp_path: Path) -> None:
    found, bad = amounts(tmp_path, "1.234", "100")
    assert (found, [SUSPECT in one for one in bad]) == ([10000], [True])
    dataset = opened(tmp_path, "id,at,who,amt\n1,2026-01-01,c,1.234\n")
    assert "give decimal (and grouping) in the mapping" in dataset.warnings[0]


def test_three_decimals_beside_others_are_rounded_half_to_even(tmp_path: Path) -> None:
    assert amounts(tmp_path, "1.005", "1.015", "0.25") == ([100, 102, 25], [])


@pytest.mark.parametrize(
    ("keys", "text"), [({}, "0.25\n2,2026-01-01,c,1.005"), ({"decimal": ","}, '"1.234,005"')]
)
def test_amounts_that_are_rounded_are_warned_of(
    keys: dict[str, Any], text: str, tmp_path: Path
) -> None:
    dataset = opened(tmp_path, f"id,at,who,amt\n1,2026-01-01,c,{text}\n", **keys)
    assert [one.split(":")[0] for one in dataset.warnings] == [
        "1 amounts have more than two decimals"
    ]
    whole = opened(tmp_path, "id,at,who,amt\n1,2026-01-01,c,1.500\n2,2026-01-01,c,2.50\n")
    assert whole.warnings == []


@given(st.decimals(0, 10**9, places=2))
def test_a_number_written_in_german_is_the_same_number(number: Decimal) -> None:
    text = f"{number:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
    assert NumberFormat(",", ".").plain(text) == f"{number:.2f}"


ABSENT = "id,at,who,amt,device,kind,lat,land\nn1,2026-01-01,c,1.00,NA,\\N,NaN,NA\n"
ABSENT_FIELDS = {
    "device_id": "{device}",
    "category": "{kind}",
    "purchase_latitude": "{lat}",
    "merchant_country": "{land}",
}


def test_words_for_nothing_are_absent_by_column_or_field_and_nowhere_else(tmp_path: Path) -> None:
    keys = {"absent": {"device": ["NA"], "category": ["\\N"]}}
    [item], bad = converted(opened(tmp_path, ABSENT, ABSENT_FIELDS, **keys))
    assert (item["device_id"], item["category"], item["purchase_latitude"]) == (None, None, None)
    assert (item["merchant_country"], bad) == ("NA", [])


def test_words_for_nothing_that_the_mapping_does_not_name_are_warned_of(tmp_path: Path) -> None:
    dataset = opened(tmp_path, ABSENT, ABSENT_FIELDS, absent={"kind": ["\\N"]})
    [warning] = dataset.warnings  # Namibia is a country
    assert warning.startswith("Column device is NA or the like in 1 of 1 rows.")
    assert "absent: {device: ['NA']}" in warning


def test_customers_that_a_spreadsheet_shortened_are_warned_of(tmp_path: Path) -> None:
    text = "id,at,who,amt\n1,2026-01-01,3.70319E+15,1.00\n2,2026-01-01,44,1.00\n"
    [warning] = opened(tmp_path, text).warnings
    assert warning.startswith("Column who has 1 numbers that a spreadsheet shortened")
    assert "3.7" not in warning


def test_an_invalid_value_is_absent_where_the_mapping_says_so(tmp_path: Path) -> None:
    text = "id,at,who,amt,card\n1,2026-01-01,c,1.00,60416000005\n2,2026-01-01,c,1.00,400000123456\n"
    fields = {"card_number": "{card}"}
    _, bad = converted(opened(tmp_path, text, fields))
    assert bad == ["row 1: card_number (column card) does not match [0-9]{12,19}"]
    dataset = opened(tmp_path, text, fields, absent_if_invalid=["card_number"])
    items, bad = converted(dataset)
    assert ([one["card_number"] for one in items], bad) == ([None, "400000123456"], [])
    assert dataset.made_absent == {"card_number": 1}


def test_a_placeholder_takes_the_first_column_that_is_there(tmp_path: Path) -> None:
    text = (
        "id,at,who,amt,a,b\n1,2026-01-01,c,1.00,,y\n2,2026-01-01,c,1.00,x,y\n3,2026-01-01,c,1,,\n"
    )
    items, _ = converted(opened(tmp_path, text, {"device_id": "d-{a|b|'none'}"}))
    assert [one["device_id"] for one in items] == ["d-y", "d-x", "d-none"]


def test_numbers_are_computed_between_columns(tmp_path: Path) -> None:
    text = (
        'id,at,who,pieces,price\n1,2026-01-01,c,3,"1.000,10"\n2,2026-01-01,c,,5\n'
        "3,2026-01-01,c,x,5\n"
    )
    keys = {"computed": {"total": "{pieces} * ({price} + 1)"}, "decimal": ","}
    items, bad = converted(opened(tmp_path, text, {"amount_minor": "{total}"}, **keys))
    assert [one["amount_minor"] for one in items] == [300_330]
    assert bad == [
        "row 2: amount_minor (column pieces, price) is absent",
        "row 3: amount_minor (column pieces, price) is no decimal number such as 12.34",
    ]


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("{a} * 0.1", ["3"], "0.3"),
        ("-({a} - {b}) // 2", ["1", "6"], "2"),
        ("max(abs({a}), {b})", ["-7", "3"], "7"),
        ("{a} / {b}", ["1", "0"], NO_NUMBER),
        ("{a} + 1", [None], None),
        ("{a} + 1", ["x"], NO_NUMBER),
        ("{two words} + 1", ["1"], "2"),
    ],
)
def test_arithmetic_is_exact(text: str, values: list[str | None], result: str | None) -> None:
    assert Expression(text).text_of(values) == result


@pytest.mark.parametrize(
    "text",
    ["1 + 1", "{a} +", "{a}.real", "{a}[0]", "open({a})", "{a} ** 9", "_0 + {a}()", "{a} < 1"],
)
def test_only_arithmetic_is_computed(text: str) -> None:
    with pytest.raises(WrongExpression):
        Expression(text)


def test_whole_numbers_that_missing_values_turned_into_decimals_are_whole(tmp_path: Path) -> None:
    text = "id,at,who,amt,n\n1,2026-01-01,c,1,2.0\n2,2026-01-01,c,1,\n3,2026-01-01,c,1,2.5\n"
    items, bad = converted(opened(tmp_path, text, {"item_count": "{n}"}))
    assert [one["item_count"] for one in items] == [2, None]
    assert bad == ["row 3: item_count (column n) is no whole number"]


def test_rows_are_left_out_by_value(tmp_path: Path) -> None:
    text = "id,at,who,amt,kind\n1,2026-01-01,c,1,SALE\n2,never,c,-1,REVERSAL\n3,2026-01-01,c,1,\n"
    dataset = opened(tmp_path, text, leave_out={"kind": ["REV*"]})
    items, bad = converted(dataset)
    assert ([one["id"] for one in items], bad) == (["1", "3"], [])
    assert (dataset.left_out, dataset.rows_without_time) == (1, [])


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"absent": {"nowhere": ["NA"]}}, "absent.nowhere: is no column that the mapping reads"),
        ({"absent_if_invalid": ["customer_id"]}, "customer_id is no optional field under fields"),
        ({"computed": {"x": "{a} +"}}, "computed.x: must be arithmetic of columns and numbers"),
        ({"computed": {"who": "{a} * 2"}}, "fields.customer_id: is no number"),
        ({"never_read": ["f"], "leave_out": {"f": ["1"]}}, "leave_out.f: reads f, which never_"),
        ({"never_read": ["f"], "computed": {"x": "{f}"}}, "computed.x: reads f, which never_read"),
        ({"leave_out": {"a": ["*x*"]}}, "leave_out.a.*x*: one * only"),
        ({"grouping": "."}, "grouping: is the decimal mark too"),
        ({"currency_signs": ["1"]}, "currency_signs: must be signs"),
        ({"encoding": "klingon"}, "is no encoding, such as utf-8"),
        ({"encoding": "base64"}, "is no encoding, such as utf-8"),
        ({"quote": "''"}, "must be one ASCII character, or none"),
        ({"columns": ["a", "a"]}, "columns: names a column twice"),
        ({"time": {"since": "2020-01-01"}}, "since needs epoch"),
        ({"time": {"epoch": "h", "since": "soon"}}, "is no date or instant"),
    ],
)
def test_a_wrong_key_is_named(keys: dict[str, Any], sentence: str) -> None:
    plain = {"about": "", "never_read": [], "time": {"text": "%Y"}, "amount": "major"}
    with pytest.raises(ValueError) as refused:  # noqa: PT011  pydantic's, worded by load_mapping
        Mapping.model_validate(plain | {"fields": FIELDS} | keys)
    assert sentence in str(refused.value)


def test_equal_rows_are_numbered_within_their_hash_in_slices_and_ranges(tmp_path: Path) -> None:
    row = "2026-01-02,c1,1.00\n"
    text = "at,who,amt\n2026-01-03,c1,1.00\n" + 5 * row
    dataset = opened(tmp_path, text, {"id": "{row_hash}"})
    ids = [one["id"] for one in converted(dataset)[0]]
    assert [one[32:] for one in ids] == ["", "-2", "-3", "-4", "-5", ""]
    assert len({one[:32] for one in ids}) == 2
    resumed = [json.loads(body)["id"] for batch in dataset.batches(3, 2) for body in batch.bodies]
    assert resumed == ids[3:]
