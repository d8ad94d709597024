from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.adapters.datasets import files as dataset_files
from fraudwatch.adapters.datasets.columns import shifted
from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.layout import UnreadableFile
from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping
from fraudwatch.adapters.datasets.purchases import messages_of
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus, Purchase

if TYPE_CHECKING:
    from tests.unit.application.replay.conftest import WriteMapping, WriteRows

ROOT = Path(__file__).parents[4]
REAL_DATA = ROOT.parent / "shared" / "data"
NEW_YEAR_MS = 1_577_836_800_000
DAY_MS = 86_400_000

Open = Any  # opens a file under a mapping; see the fixture


@pytest.fixture
def opened(write_mapping: WriteMapping) -> Open:
    def open_(path: Path, mapping: dict[str, Any], **limits: int) -> DatasetFile:
        return DatasetFile(path, load_mapping(write_mapping(mapping)), **limits)

    return open_


def purchases_in(dataset: DatasetFile, size: int = 1000) -> list[Purchase]:
    found = []
    for batch in dataset.batches(0, size):
        assert batch.bad == []
        for body in batch.bodies:
            item = json.loads(body)
            item["payment_status"] = PaymentStatus(item["payment_status"])
            item["channel"] = Channel(item["channel"])
            found.append(Purchase(**item))
    return found


def expected(no: int, at_ms: int, who: str, minor: int, kind: str, card: str | None) -> Purchase:
    channel = Channel.NOT_PRESENT if kind.endswith("_net") else Channel.PRESENT
    return Purchase(
        source="test",
        id=f"t-a{no}",
        event_at_ms=at_ms,
        customer_id=who,
        amount_minor=minor,
        currency="EUR",
        payment_status=PaymentStatus.APPROVED,
        channel=channel,
        merchant_id="m",
        card_number=card,
        category=kind,
    )


# 1.005, 1.015 and 2.675 are ties in decimal, but lie beside them in binary.
IN_ORDER = [
    expected(10, NEW_YEAR_MS - 1000, "eve", 268, "home", None),
    expected(2, NEW_YEAR_MS + 1000, "bob", 29, "home", "4009090422618848273"),
    expected(3, NEW_YEAR_MS + 1000, "ann", 102, "misc_pos", None),
    expected(5, NEW_YEAR_MS + 6000, "ann", 0, "home", None),
    expected(4, NEW_YEAR_MS + 7000, "cy", 1687372, "travel", None),
    expected(1, NEW_YEAR_MS + 9000, "ann", 100, "misc_net", "060406312201"),
    expected(6, NEW_YEAR_MS + DAY_MS, "bob", 10000, "home", None),
    expected(7, NEW_YEAR_MS + DAY_MS + 1000, "bob", 844, "misc_net", None),
    expected(8, NEW_YEAR_MS + 2 * DAY_MS, "dee", 442, "home", None),
    expected(9, NEW_YEAR_MS + 2 * DAY_MS, "dee", 6199, "home", None),
]


@pytest.fixture
def good_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows[3]["kind"] = "travel"
    return rows


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_ten_rows_become_exactly_these_purchases_in_event_order(
    suffix: str,
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    tmp_path: Path,
    opened: Open,
) -> None:
    path = tmp_path / f"rows.{suffix}"
    frame = pl.DataFrame(good_rows)
    if suffix == "csv":
        frame.write_csv(path)
    else:
        frame.with_columns(pl.col("when").str.to_datetime()).write_parquet(path)
    found = purchases_in(opened(path, mapping))
    assert found == IN_ORDER
    assert [problems(purchase) for purchase in found] == [[]] * 10


@pytest.mark.parametrize("size", [1, 3, 10])
def test_slices_and_batches_of_any_size_make_the_same_purchases(
    size: int,
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dataset_files, "SLICE_ROWS", 4)
    assert purchases_in(opened(write_rows(good_rows), mapping), size) == IN_ORDER


def test_a_range_includes_its_start_and_excludes_its_end(
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    limits = {"from_ms": NEW_YEAR_MS + 9000, "until_ms": NEW_YEAR_MS + DAY_MS + 1000}
    dataset = opened(write_rows(good_rows), mapping, **limits)
    assert dataset.count == 2
    assert purchases_in(dataset) == IN_ORDER[5:7]


def test_columns_that_the_mapping_does_not_name_are_never_loaded(
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[str] = []

    def spy(frame: pl.DataFrame, *rest: Any) -> Any:
        loaded.extend(frame.columns)
        return messages_of(frame, *rest)

    monkeypatch.setattr(dataset_files, "messages_of", spy)
    dataset = opened(write_rows(good_rows), mapping)
    purchases_in(dataset)
    assert set(loaded) == {"row_number", "event_at_ms", "no", "when", "who", "amt", "kind", "card"}
    plan = dataset._scan.explain()
    assert "fraud" not in plan
    assert "PROJECT" in plan


def bad_rows_of(dataset: DatasetFile) -> list[str]:
    return [str(bad) for batch in dataset.batches(0, 1000) for bad in batch.bad]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("amt", "12,34", "amount_minor (column amt) is no decimal number such as 12.34"),
        ("amt", "-1", "amount_minor (column amt) must lie between 0 and 10000000000000"),
        ("amt", "nan", "amount_minor (column amt) is no decimal number such as 12.34"),
        ("amt", "", "amount_minor (column amt) is absent"),
        ("who", "", "customer_id (column who) is absent"),
        ("who", "x" * 129, "customer_id (column who) is longer than 128 characters"),
        ("no", "a b", "id (column no) does not match [A-Za-z0-9:_.+/=-]+"),
        ("card", "4000x", "card_number (column card) does not match [0-9]{12,19}"),
        ("kind", "", "channel (column kind) is absent"),
    ],
)
def test_a_bad_row_is_named_by_number_column_and_reason_without_its_value(
    column: str,
    value: str,
    reason: str,
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    tmp_path: Path,
    opened: Open,
) -> None:
    texts = [{k: "" if v is None else str(v) for k, v in row.items()} for row in good_rows]
    texts[6][column] = value
    path = tmp_path / "rows.csv"
    pl.DataFrame(texts).write_csv(path)
    mapping["decimal"] = "."  # else a comma in the column would make 1.005 suspect
    assert bad_rows_of(opened(path, mapping)) == [f"row 7: {reason}"]


def test_a_value_without_an_entry_is_a_bad_row(
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    mapping["values"]["channel"] = {"*_net": "not_present", "misc*": "present", "home": "present"}
    assert bad_rows_of(opened(write_rows(good_rows), mapping)) == [
        "row 4: channel (column kind) has no entry under values"
    ]


def test_a_missing_column_is_reported_with_the_existing_ones(
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    mapping["fields"]["merchant_id"] = "{shop}"
    with pytest.raises(WrongMapping) as refused:
        opened(write_rows(good_rows), mapping)
    assert str(refused.value) == (
        "rows.parquet has no column shop; it has: no, when, who, amt, kind, card, fraud"
    )


@pytest.mark.parametrize("name", ["absent.parquet", "rows.xlsx", "broken.parquet"])
def test_a_file_that_cannot_be_read_is_named(
    name: str, mapping: dict[str, Any], tmp_path: Path, opened: Open
) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"neither")
    with pytest.raises(UnreadableFile, match=name):
        opened(tmp_path / name, mapping)


@pytest.mark.parametrize(
    ("time", "written", "at_ms"),
    [
        ({"epoch": "s"}, "1577836800.5", NEW_YEAR_MS + 500),
        ({"epoch": "ms"}, "1577836800123", NEW_YEAR_MS + 123),
        ({"epoch": "us"}, "1577836800123000", NEW_YEAR_MS + 123),
        ({"epoch": "ns"}, "1577836800123000000", NEW_YEAR_MS + 123),
        ({"text": "%d.%m.%Y %H:%M"}, "01.01.2020 00:00", NEW_YEAR_MS),
        ({"text": "%Y-%m-%d %H:%M", "zone": "Europe/Berlin"}, "2020-01-01 01:00", NEW_YEAR_MS),
        ({"text": "%Y-%m-%dT%H:%M:%S%.f%#z"}, "2020-01-01T02:00:00.123+02:00", NEW_YEAR_MS + 123),
        # 02:30 comes twice this night; the first one is meant.
        ({"text": "%Y-%m-%d %H:%M", "zone": "Europe/Berlin"}, "2018-10-28 02:30", 1540686600000),
        # 02:30 does not exist this night.
        ({"text": "%Y-%m-%d %H:%M", "zone": "Europe/Berlin"}, "2018-03-25 02:30", None),
        ({"text": "%Y-%m-%d %H:%M"}, "yesterday", None),
    ],
)
def test_times_are_parsed_as_the_mapping_defines(
    time: dict[str, str],
    written: str,
    at_ms: int | None,
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    mapping["time"] = time
    dataset = opened(write_rows([good_rows[0] | {"when": written}]), mapping)
    assert [p.event_at_ms for p in purchases_in(dataset)] == ([at_ms] if at_ms else [])
    assert [str(bad) for bad in dataset.rows_without_time] == (
        [] if at_ms else ["row 1: event_at_ms (column when) is absent or no such time"]
    )


def test_text_times_need_their_format(
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    del mapping["time"]
    with pytest.raises(
        WrongMapping, match=r"when has type String; give its format under time\.text"
    ):
        opened(write_rows(good_rows), mapping)


def test_integers_stay_integers_despite_missing_values(
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    rows = [row | {"who": float(i), "pieces": None} for i, row in enumerate(good_rows)]
    rows[0]["pieces"] = 2.0
    mapping["fields"]["item_count"] = "{pieces}"
    found = {p.id: p for p in purchases_in(opened(write_rows(rows), mapping))}
    assert (found["t-a1"].customer_id, found["t-a1"].item_count) == ("0", 2)
    assert (found["t-a9"].customer_id, found["t-a9"].item_count) == ("8", None)


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("JPY", "300.0", 300),
        ("EUR", "3", 300),
        ("KWD", "3", 3000),
        ("VND", "2700000", 2_700_000),
        ("XOF", "65596", 65_596),
        ("CLP", "100000", 100_000),
        ("OMR", "41.700", 41_700),
        ("JOD", "76.7", 76_700),
        ("CLF", "1.2345", 12_345),
        ("ITL", "1936", 1_936),
        ("EUR", "-0.00", 0),
        ("EUR", "99999999999.99", 9_999_999_999_999),
        ("EUR", "100000000000.00", 10**13),
    ],
)
def test_a_currency_knows_its_decimals(
    currency: str,
    amount: str,
    minor: int,
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    mapping["fields"]["currency"] = "{money}"
    row = good_rows[0] | {"amt": amount, "money": currency}
    assert purchases_in(opened(write_rows([row]), mapping))[0].amount_minor == minor


@pytest.mark.parametrize("unit", ["major", "minor"])
@pytest.mark.parametrize("fields", [["amount_minor", "currency"], ["currency", "amount_minor"]])
def test_a_currency_without_known_decimals_is_a_bad_row(
    unit: str,
    fields: list[str],
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    mapping["amount"] = unit
    template = mapping["fields"] | {"currency": "{money}"}
    mapping["fields"] = {name: template.pop(name) for name in fields} | template
    monies = ("EUR", "XAU", "QQQ")
    rows = [r | {"money": one, "amt": "3"} for r, one in zip(good_rows[:3], monies, strict=True)]
    assert bad_rows_of(opened(write_rows(rows), mapping)) == [
        f"row {number}: currency (column money) has no number of decimals in ISO 4217, so its"
        " amounts cannot be read"
        for number in (2, 3)
    ]


@pytest.mark.parametrize("amount", ["90071992547409.93", "100000000000.01", "1e15"])
def test_an_amount_beyond_the_largest_is_a_bad_row_and_not_rounded(
    amount: str,
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    assert bad_rows_of(opened(write_rows([good_rows[0] | {"amt": amount}]), mapping)) == [
        "row 1: amount_minor (column amt) must lie between 0 and 10000000000000"
    ]


@given(st.integers(0, 10**11), st.integers(0, 4))
def test_amounts_are_exact(units: int, places: int) -> None:
    text = str(Decimal(units).scaleb(-places))
    # Python's round of a Decimal is half to even as well.
    assert shifted(text, 2) == round(Decimal(units) * 100 / 10**places)


@pytest.mark.parametrize("text", ["", "1.2.3", "inf", "-inf", "nan", "1e40", "1e999999999"])
def test_an_invalid_amount_is_none(text: str) -> None:
    assert shifted(text, 2) is None


def test_ids_come_from_row_numbers_or_hashes_where_a_file_has_none(
    good_rows: list[dict[str, Any]],
    mapping: dict[str, Any],
    write_rows: WriteRows,
    opened: Open,
) -> None:
    path = write_rows([*good_rows, good_rows[0]])
    mapping["fields"]["id"] = "row-{row_number}"
    numbered = purchases_in(opened(path, mapping))
    assert [p.id for p in numbered][:3] == ["row-10", "row-2", "row-3"]
    mapping["fields"]["id"] = "{row_hash}"
    hashed = purchases_in(opened(path, mapping))
    # The columns read, by name: amt, card (absent), kind, when, who. It must never change.
    hashed_text = "2.675\x1f\x00\x1fhome\x1f2019-12-31 23:59:59\x1feve"
    assert hashed[0].id == hashlib.sha256(hashed_text.encode()).hexdigest()[:32]
    # The tenth row comes twice: equal rows are numbered.
    assert [p.id for p in hashed].count(hashed[5].id) == 1
    assert sorted(p.id for p in hashed if "-" in p.id) == [f"{hashed[5].id}-2"]


CARDS = [
    {"card_no": "ann", "first": "Ann", "last": "Lee", "lat": 41.5, "fraud": 1},
    {"card_no": "bob", "first": "Bob", "last": None, "lat": None, "fraud": 1},
    {"card_no": "cy", "first": "Cy", "last": "Day", "lat": 0.1, "fraud": 1},
    {"card_no": "eve", "first": "Eve", "last": "Fox", "lat": 91.0, "fraud": 1},
]


@pytest.fixture
def joined(mapping: dict[str, Any]) -> dict[str, Any]:
    mapping["join"] = {"file": "cards.parquet", "by": "who", "key": "card_no"}
    mapping["fields"] |= {"name": "{join.first} {join.last}", "billing_latitude": "{join.lat}"}
    return mapping


def test_a_joined_file_adds_its_columns_and_an_unmatched_row_is_bad(
    good_rows: list[dict[str, Any]],
    joined: dict[str, Any],
    write_rows: WriteRows,
    tmp_path: Path,
    opened: Open,
) -> None:
    pl.DataFrame(CARDS).write_parquet(tmp_path / "cards.parquet")
    dataset = opened(write_rows(good_rows), joined)
    assert bad_rows_of(dataset) == [
        "row 10: billing_latitude (column join.lat) must lie between -90 and 90",
        "row 8: column who has no row of its own in cards.parquet",
        "row 9: column who has no row of its own in cards.parquet",
    ]
    bodies = [json.loads(body) for batch in dataset.batches(0, 1000) for body in batch.bodies]
    by_id = {b["id"]: (b["name"], b["billing_latitude"]) for b in bodies}
    assert by_id["t-a1"] == ("Ann Lee", 41.5)
    assert by_id["t-a2"] == (None, None)
    assert by_id["t-a4"] == ("Cy Day", 0.1)


def test_a_joined_file_with_two_rows_for_one_key_is_refused(
    good_rows: list[dict[str, Any]],
    joined: dict[str, Any],
    write_rows: WriteRows,
    tmp_path: Path,
    opened: Open,
) -> None:
    pl.DataFrame([*CARDS, CARDS[0]]).write_parquet(tmp_path / "cards.parquet")
    with pytest.raises(WrongMapping, match=r"cards\.parquet has 1 row\(s\) too many: card_no"):
        opened(write_rows(good_rows), joined)


def real(name: str) -> DatasetFile:
    path = REAL_DATA / name / "transactions.parquet"
    if not path.exists():
        pytest.skip(f"the public data set {name} is not here; see data/source_data.txt")
    return DatasetFile(path, load_mapping(ROOT / "contracts" / "datasets" / f"{name}.yaml"))


@pytest.mark.parametrize("name", ["handbook", "sparkov"])
def test_shipped_mappings_make_admissible_purchases_of_the_real_files(name: str) -> None:
    batch = next(real(name).batches(0, 1000))
    assert (len(batch.rows), batch.bad) == (1000, [])
    items = [json.loads(body) for body in batch.bodies]
    purchases = [
        Purchase(
            **{**i, "channel": Channel(i["channel"]), "payment_status": PaymentStatus.APPROVED}
        )
        for i in items
    ]
    assert [problems(purchase) for purchase in purchases] == [[]] * 1000
    assert all(a.event_at_ms <= b.event_at_ms for a, b in pairwise(purchases))
    frame = pl.scan_parquet(REAL_DATA / name / "transactions.parquet").head(1000).collect()
    amounts = frame["TX_AMOUNT" if name == "handbook" else "amt"]
    assert [Decimal(str(a)) * 100 for a in amounts] == [p.amount_minor for p in purchases]


def test_the_first_real_purchases_read_as_written() -> None:
    first = json.loads(next(real("sparkov").batches(0, 1)).bodies[0])
    assert first["id"] == "b7db19296b932d0159752b3f5fc377a1"
    assert (first["channel"], first["amount_minor"], first["currency"]) == (
        "not_present",
        4838,
        "USD",
    )
    assert (first["billing_latitude"], first["billing_country"]) == (41.8721, "US")
    assert first["event_at_ms"] == NEW_YEAR_MS + 300_000
