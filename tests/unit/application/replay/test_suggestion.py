"""A suggested mapping is valid, reads the file it was made for, and shows no cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
import yaml
from typer.testing import CliRunner

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.cli.mapping import mapping as mapping_app

app = typer.Typer()
app.add_typer(mapping_app, name="mapping")
BANK = (
    "Beleg;Buchungstag;Konto;Betrag;Währung;Händler\n"
    "B1;03.06.24 09:15;K-1;12,50 €;EUR;Bäckerei Müller\n"
    "B2;23.06.24 09:20;K-1;1.234,00 €;EUR;NULL\n"
)
PAYSIM = (
    "step,type,amount,nameOrig,oldbalanceOrg,nameDest,isFraud,isFlaggedFraud\n"
    "1,PAYMENT,9839.64,C12,170136.0,M19,0,0\n2,CASH_OUT,181.0,C84,181.0,C38,1,0\n"
)
SPARKOV = (
    ",trans_date_trans_time,cc_num,merchant,category,amt,lat,long,trans_num,is_fraud\n"
    '0,2019-01-01 00:00:18,3703186189652011,"fraud_Abbot, Kerr",misc_net,4.97,36.1,-81.2,0b24,0\n'
    "1,2019-01-01 00:03:06,60416000005,fraud_Heller,grocery_pos,107.23,48.9,-118.2,1f76,1\n"
)
BANKSIM = (
    "step,customer,age,merchant,category,amount,fraud\n0,'C10','4','M34','es_health',4.55,0\n"
    "1,'C35','2','M18','es_health',39.68,1\n"
)
OBJECTS = "".join(
    json.dumps({"transactionId": f"t{i}", "at": "2026-03-01T10:00:00", "customer": {"id": f"c{i}"},
                "amount": 19.99, "currency": "EUR"}) + "\n"
    for i in range(2)
)  # fmt: skip


def suggested(path: Path) -> tuple[dict[str, Any], str]:
    done = CliRunner().invoke(app, ["mapping", "suggest", str(path)])
    assert done.exit_code == 0, done.stderr
    return yaml.safe_load(done.stdout), done.stdout


@pytest.mark.parametrize(
    ("name", "content", "secrets", "fields"),
    [
        ("umsaetze.csv", BANK.encode("cp1252"), ["K-1", "Müller"],
         {"id": "{Beleg}", "customer_id": "{Konto}", "merchant_id": "{Händler|'unknown'}"}),
        ("umsaetze.tsv", BANK.replace(";", "\t").encode(), ["K-1"],
         {"event_at_ms": "{Buchungstag}"}),
        ("paysim.csv", PAYSIM.encode(), ["C12"],
         {"id": "{file_hash}-{row_number}", "customer_id": "{nameOrig}",
          "merchant_id": "{nameDest}"}),
        ("fraudTrain.csv", SPARKOV.encode(), ["3703"],
         {"customer_id": "{cc_num}", "card_number": "{cc_num}", "id": "{trans_num}"}),
        ("bs.csv", BANKSIM.encode(), ["C10"], {"customer_id": "{customer}"}),
        ("lines.txt", OBJECTS.encode(), ["c1"], {"id": "{transactionId}"}),
    ],
)  # fmt: skip
def test_a_suggestion_reads_its_file(
    name: str, content: bytes, secrets: list[str], fields: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    document, text = suggested(path)
    assert fields.items() <= document["fields"].items()
    assert not any(secret in text for secret in secrets)
    dataset = DatasetFile(path, Mapping.model_validate(document))
    [batch] = dataset.batches(0, 100)
    assert (len(batch.rows), batch.bad, dataset.rows_without_time) == (2, [], [])


def test_a_suggestion_names_what_it_found_and_what_it_assumes(tmp_path: Path) -> None:
    path = tmp_path / "umsaetze.csv"
    path.write_bytes(BANK.encode("cp1252"))
    document, text = suggested(path)
    assert (document["encoding"], document["separator"]) == ("windows-1252", ";")
    assert (document["decimal"], document["currency_signs"]) == (",", ["€"])
    assert document["absent"] == {"Händler": ["NULL"]}
    assert document["time"] == {"zone": "UTC", "text": "%d.%m.%y %H:%M"}
    assert "# Assumed: payment_status, channel, time.zone." in text


def test_spending_that_is_negative_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "bank.csv"
    rows = "1;2026-03-01;-1.234,50\n2;2026-03-01;-3,00\n"
    path.write_text(f"id;date;amount\n{rows}", encoding="utf-8")
    document, _ = suggested(path)
    assert (document["negative"], document["decimal"]) == ("flip", ",")


def test_labels_are_never_read(tmp_path: Path) -> None:
    path = tmp_path / "paysim.csv"
    path.write_text(PAYSIM, encoding="utf-8")
    document, text = suggested(path)
    assert document["never_read"] == ["isFraud", "isFlaggedFraud"]
    assert document["label"] == {"column": "isFraud", "fraud": ["1"], "genuine": ["0"]}
    assert document["time"] == {"epoch": "h", "since": "2020-01-01T00:00:00"}
    assert "# step counts: is its unit epoch, and when did it begin (since)?" in text


def test_a_first_line_of_data_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "no_header.csv"
    path.write_text("TX-1,2026-03-01 10:00:00,jane.doe@example.org,19.99\n", encoding="utf-8")
    document, text = suggested(path)
    assert document["columns"] == ["column_1", "column_2", "column_3", "column_4"]
    assert document["fields"]["event_at_ms"] == "{column_2}"
    assert "jane" not in text
    assert "# No column looks like an amount" in text


def test_a_parquet_file_needs_no_layout(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"id": [1], "timestamp": ["2026-03-01 10:00:00"], "amount": [1.5]}).write_parquet(
        path
    )
    document, _ = suggested(path)
    assert document["fields"]["amount_minor"] == "{amount}"
    assert DatasetFile(path, Mapping.model_validate(document)).count == 1


@pytest.mark.parametrize("name", ["absent.csv", "empty.csv", "broken.parquet", "book.xlsx"])
def test_a_file_that_cannot_be_read_is_wrong_use(name: str, tmp_path: Path) -> None:
    if name != "absent.csv":
        (tmp_path / name).write_bytes(b"")
    done = CliRunner().invoke(app, ["mapping", "suggest", str(tmp_path / name)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
