"""Files as people have them: each kind is read as the mapping defines, or refused in a sentence."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.layout import UnreadableFile
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping, load_mapping

README = Path(__file__).parents[4] / "contracts" / "datasets" / "README.md"
FIELDS = {
    "source": "bank",
    "id": "{Beleg}",
    "event_at_ms": "{Tag}",
    "customer_id": "{Konto}",
    "amount_minor": "{Betrag}",
    "currency": "EUR",
    "payment_status": "approved",
    "channel": "present",
    "merchant_id": "{Händler}",
}
HEADER = "Beleg;Tag;Konto;Betrag;Händler"
ROWS = [
    "B1;03.06.24 09:15;K-1;12,50;Bäckerei Müller",
    "B2;03.06.24 09:20;K-1;1.234;Möbelhaus",
    "B3;03.06.24 09:25;K-1;1.234,56;Möbelhaus",
    "B4;03.06.24 09:30;K-1;100;Café",
]
TEXT = "\n".join([HEADER, *ROWS]) + "\n"
MINOR = [1250, 123400, 123456, 10000]


def mapping_of(*drop: str, **keys: Any) -> Mapping:
    plain = {
        "about": "a bank's export",
        "separator": ";",
        "never_read": [],
        "time": {"text": "%d.%m.%y %H:%M"},
        "amount": "major",
        "decimal": ",",
        "fields": FIELDS,
    }
    plain |= keys
    return Mapping.model_validate({k: v for k, v in plain.items() if k not in drop})


def items_of(dataset: DatasetFile) -> list[dict[str, Any]]:
    return [json.loads(body) for batch in dataset.batches(0, 100) for body in batch.bodies]


def bad_of(dataset: DatasetFile) -> list[str]:
    bad = [one for batch in dataset.batches(0, 100) for one in batch.bad]
    return [str(one) for one in [*dataset.rows_without_time, *bad]]


def file(tmp_path: Path, content: bytes | str, name: str = "rows.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


@pytest.mark.parametrize(
    ("name", "content", "keys"),
    [
        ("rows.csv", TEXT.encode(), {}),
        ("ROWS.CSV", TEXT.encode(), {}),
        ("rows.dat", TEXT.encode(), {}),
        ("rows.export", TEXT.encode(), {"format": "csv"}),
        ("bom.csv", TEXT.encode("utf-8-sig"), {}),
        ("crlf.csv", TEXT.replace("\n", "\r\n").encode(), {}),
        ("rows.tsv", TEXT.replace(";", "\t").encode(), {"separator": "\t"}),
        ("latin.csv", TEXT.encode("cp1252"), {"encoding": "windows-1252"}),
        ("wide.csv", TEXT.encode("utf-16"), {"encoding": "utf-16"}),
        ("title.csv", ("Export; 06\n\n" + TEXT).encode(), {"skip_lines": 2}),
        ("t1252.csv", ("Ä;\n" + TEXT).encode("cp1252"), {"skip_lines": 1, "encoding": "cp1252"}),
        ("none.csv", "\n".join(ROWS).encode(), {"columns": HEADER.split(";")}),
        (
            "none1252.csv",
            "\n".join(ROWS).encode("cp1252"),
            {"columns": HEADER.split(";"), "encoding": "cp1252"},
        ),
        ("other.csv", ("a;b;c;d;e\n" + "\n".join(ROWS)).encode(),
         {"columns": HEADER.split(";"), "skip_lines": 1}),
        *((f"rows.csv{s}", pack(TEXT.encode()), {}) for s, pack in PACKED.items()),
        ("l.csv.gz", gzip.compress(TEXT.encode("cp1252")), {"encoding": "cp1252"}),
        ("quoted.csv", TEXT.replace("Café", "'Café'").encode(), {"quote": "'"}),
        ("mark.csv", TEXT.replace("K-1", '"K-1').encode(), {"quote": "none"}),
        ("escape.csv", TEXT.replace("Café", "Ca\\;fé").encode(), {"escape": "\\"}),
    ],
)  # fmt: skip
def test_a_file_is_read_as_its_mapping_defines(
    name: str, content: bytes, keys: dict[str, Any], tmp_path: Path
) -> None:
    dataset = DatasetFile(file(tmp_path, content, name), mapping_of(**keys))
    items = items_of(dataset)
    assert bad_of(dataset) == []
    assert [one["amount_minor"] for one in items] == MINOR
    assert items[0]["merchant_id"] == "Bäckerei Müller"
    assert items[3]["merchant_id"] == ("Ca;fé" if "escape" in keys else "Café")


def test_a_tsv_file_has_tabs_if_nothing_else_is_given(tmp_path: Path) -> None:
    path = file(tmp_path, TEXT.replace(";", "\t"), "rows.TSV")
    assert len(items_of(DatasetFile(path, mapping_of("separator")))) == 4


def test_an_archive_has_one_file(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.csv", TEXT)
    assert len(items_of(DatasetFile(path, mapping_of()))) == 4
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.csv", TEXT)
    with pytest.raises(UnreadableFile, match=r"archive\.zip: has 2 files in it; unpack it"):
        DatasetFile(path, mapping_of())


SECRETS = ("K-1", "Müller", "03.06", "1.234", "Möbel")


@pytest.mark.parametrize(
    ("name", "content", "keys", "sentence"),
    [
        ("l.csv", TEXT.encode("cp1252"), {}, r"l.csv, line 1: is not utf-8; give the file's enc"),
        (
            "v.csv",
            (HEADER + "\n").encode() + "\n".join(ROWS).encode("cp1252"),
            {},
            r"v.csv, line 1 or soon after: is not utf-8; .* encoding: windows-1252",
        ),
        ("u.csv", TEXT.encode(), {"encoding": "utf-16"}, "u.csv, line 1 .* is not utf-16"),
        ("r.csv", (TEXT + "B5;03.06.24 10:00;K-1;1,00;A;B\n").encode(), {},
         r"r.csv, row 5: has 6 cells, but the first line has 5; .* ragged: bad_row"),
        ("r.csv", ("\n".join([*ROWS, ROWS[0] + ";x"])).encode(), {"columns": HEADER.split(";")},
         r"r.csv, row 5: has 6 cells"),
        ("r.csv", (TEXT + "B5;03.06.24 10:00;K-1;1,00;A;B\n").encode("cp1252"),
         {"encoding": "cp1252"}, r"r.csv, row 5: has 6 cells"),
        ("q.csv", TEXT.replace("Café", '"Café').encode(), {}, r"q.csv, line .*quotation mark"),
        ("n.csv", "\n".join(ROWS).encode(), {}, r"its first line has 5 cell.* 0 of the mapping's"),
        ("s.csv", TEXT.encode(), {"separator": ","}, r"correct separator \(.*4 semicolons\)"),
        ("c.csv", TEXT.encode(), {"columns": ["a", "b"]}, "columns: names 2 columns, .* 5 cells"),
        ("d.csv", TEXT.replace("Konto;", "Beleg;", 1).encode(),
         {"fields": FIELDS | {"customer_id": "{Betrag}"}}, "has the column Beleg twice"),
        ("m.csv", TEXT.replace("Händler", "Haendler").encode(), {},
         r"m.csv has no column Händler; did you mean Haendler\?"),
        ("e.csv", b"", {}, "e.csv: has no rows that can be read as CSV"),
        ("e.csv", b"", {"encoding": "cp1252"}, "e.csv: has no rows that can be read as CSV"),
        ("g.csv.gz", b"\x1f\x8b\x08 no archive", {}, "g.csv.gz: cannot be read or unpacked"),
        ("z.zip", b"no archive", {}, "z.zip: cannot be read or unpacked"),
        ("x.xlsx", b"PK", {}, "x.xlsx: its name ends in none of .csv, .tsv"),
        ("j.ndjson", b'{"Beleg": 1}\n{"Beleg"\n', {}, "j.ndjson, row 2: is no JSON object"),
        ("j.json", b'[{"Beleg": 1}, 5]', {}, "j.json, row 2: is no JSON object"),
        ("j.ndjson", b'{"Beleg": {"no": 1}}\n', {}, r"j.ndjson, row 1: Beleg is no single value"),
        ("j.ndjson", b'{"Beleg": 1}\n', {}, "j.ndjson: no object has a value at Betrag, Händler"),
        ("p.parquet", b"PAR1", {}, "p.parquet: is no whole Parquet file"),
        ("t.csv", TEXT.encode(), {"time": {"text": "%d.%m.%y %H"}}, r"time.text: .* is no format"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_in_one_sentence_without_a_cell(
    name: str, content: bytes, keys: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises((UnreadableFile, WrongMapping)) as refused:
        items_of(DatasetFile(file(tmp_path, content, name), mapping_of(**keys)))
    text = str(refused.value)
    assert re.search(sentence, text), text
    assert "\n" not in text
    assert not any(secret in text for secret in SECRETS), text


def test_a_first_line_that_may_be_data_is_not_shown_though_one_cell_is_a_name(
    tmp_path: Path,
) -> None:
    path = file(tmp_path, "TX-1;01.03.26 10:00;Jane Doe;4000001234567899;Händler\n")
    with pytest.raises(WrongMapping) as refused:
        DatasetFile(path, mapping_of())
    assert "only 1 of the mapping's 5 names" in str(refused.value)
    assert not re.search("Jane|4000", str(refused.value))


def test_a_row_that_is_too_long_can_be_a_bad_row(tmp_path: Path) -> None:
    path = file(tmp_path, "\n".join([HEADER, ROWS[0], ROWS[1] + ";x", ROWS[2]]))
    dataset = DatasetFile(path, mapping_of(ragged="bad_row"))
    assert bad_of(dataset) == ["row 2: the row has more cells than the first line"]
    assert [one["id"] for one in items_of(dataset)] == ["B1", "B3"]


def test_a_header_between_rows_is_left_out(tmp_path: Path) -> None:
    dataset = DatasetFile(file(tmp_path, TEXT + TEXT), mapping_of())
    assert (dataset.repeated_headers, dataset.count, bad_of(dataset)) == (1, 8, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_header_alone_is_no_purchase(encoding: str, tmp_path: Path) -> None:
    path = file(tmp_path, (HEADER + "\n").encode(encoding))
    dataset = DatasetFile(path, mapping_of(encoding=encoding))
    assert (dataset.count, dataset.span_ms, bad_of(dataset)) == (0, None, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_quoted_line_break_is_part_of_its_cell(encoding: str, tmp_path: Path) -> None:
    text = TEXT.replace("Möbelhaus", '"12 Elm\r\nCove, ""Mitte"""')
    keys = {"encoding": encoding, "fields": FIELDS | {"merchant_id": "m"}}
    dataset = DatasetFile(file(tmp_path, text.encode(encoding)), mapping_of(**keys))
    assert [one["id"] for one in items_of(dataset)] == ["B1", "B2", "B3", "B4"]


OBJECTS = [
    {
        "no": i,
        "at": "2026-03-01T10:00:00",
        "who": {"id": 7, "cards": [{"n": "x"}]},
        "total": total,
        "here": i == 1,
    }
    for i, total in enumerate([98.55, 2], start=1)
]
OBJECT_KEYS = {
    "time": {"text": "%Y-%m-%dT%H:%M:%S"},
    "decimal": ".",
    "fields": FIELDS
    | {
        "id": "{no}",
        "event_at_ms": "{at}",
        "customer_id": "{who.id}-{who.cards.0.n}",
        "amount_minor": "{total}",
        "merchant_id": "m",
        "channel": "{here}",
    },
    "values": {"channel": {"true": "present", "false": "not_present"}},
}


@pytest.mark.parametrize("name", ["rows.ndjson", "rows.jsonl", "rows.txt", "rows.json"])
def test_json_is_read_by_paths(name: str, tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(one) for one in OBJECTS)
    path = file(tmp_path, json.dumps(OBJECTS) if name.endswith(".json") else lines, name)
    first, second = items_of(DatasetFile(path, mapping_of("separator", **OBJECT_KEYS)))
    assert (first["customer_id"], first["amount_minor"]) == ("7-x", 9855)
    assert (first["channel"], second["channel"]) == ("present", "not_present")


def test_the_readmes_example_is_read_as_it_says(tmp_path: Path) -> None:
    text, mapping = re.findall(r"```\w*\n(.*?)```", README.read_text("utf-8"), re.DOTALL)[:2]
    (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
    dataset = DatasetFile(
        file(tmp_path, text.encode("cp1252")), load_mapping(tmp_path / "mapping.yaml")
    )
    [item] = items_of(dataset)
    assert re.fullmatch(r"[0-9a-f]{8}-B1", item["id"])
    assert (item["amount_minor"], item["device_id"]) == (123456, None)
    assert item["event_at_ms"] == 1_717_398_900_000


def test_an_unused_later_key_leaves_the_identity_of_a_replay() -> None:
    first_keys = ["separator", "never_read", "join", "time", "amount", "fields", "values"]
    plain = mapping_of("decimal")
    assert list(plain.identity()) == first_keys
    assert plain.identity()["time"] == {"zone": "UTC", "text": "%d.%m.%y %H:%M", "epoch": None}
    assert mapping_of().identity() == plain.identity() | {"decimal": ","}
    joined = mapping_of("decimal", join={"file": "f", "by": "Konto", "left": True})
    assert joined.identity()["join"] == {"file": "f", "by": "Konto", "key": None, "left": True}


def test_a_parquet_file_has_text_columns_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.read_csv(TEXT.encode(), separator=";", infer_schema=False).write_parquet(path)
    assert [one["amount_minor"] for one in items_of(DatasetFile(path, mapping_of()))] == MINOR
