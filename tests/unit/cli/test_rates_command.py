from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudwatch.adapters.artefacts.rate_file import load_rates
from fraudwatch.cli.rates import rates
from fraudwatch.domain.money import EuroAmount, MissingRate
from fraudwatch.stack import catalogue
from fraudwatch.stack.home import ROOT, Home, StackError

HEADER = "Date,USD,JPY,BGN,RUB,GBP,TRY,"
CONTENT = f"""{HEADER}
2026-10-30,1.1566,181.02,N/A,N/A,0.8755,49.1,
2026-10-29,1.1572,181.5,N/A,N/A,0.8761,49.0,
2022-03-01,1.1162,128.44,1.9558,117.201,0.8355,15.5,
1999-01-04,1.1789,133.73,N/A,N/A,0.7111,N/A,
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write(tmp_path / "eurofxref-hist.zip", CONTENT)


def write(path: Path, content: str) -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("eurofxref-hist.csv", content)
    path.write_bytes(packed.getvalue())
    return path


def fetch(*words: Any) -> Any:
    return CliRunner().invoke(rates, ["fetch", *map(str, words)])


def test_fetched_rates_are_in_use_in_this_home(home: Path, archive: Path) -> None:
    done = fetch("--file", archive)
    assert done.exit_code == 0, done.output
    path = home / "rates/eur.csv"
    table = load_rates(path, ROOT / "contracts/rates/eur.csv")
    assert table.to_eur(11_789, "USD", "1999-01-09") == EuroAmount(10_000, "1999-01-04")
    assert table.to_eur(8_755, "GBP", "2026-11-01") == EuroAmount(10_000, "2026-10-30")
    # Not in this table: the shipped level is kept, and the file names its source.
    assert table.to_eur(9_300, "CHF", "2026-10-30") == EuroAmount(10_000, "2026-01-01")
    with pytest.raises(MissingRate, match="its rates ended on 2022-03-08"):
        table.to_eur(100, "RUB", "2026-10-30")
    lines = path.read_text().splitlines()
    assert "2026-01-01,CHF,0.930,rough" in lines
    assert "2026-10-30,USD,1.1566,ecb" in lines
    assert not any(line.endswith("USD,1.170,rough") for line in lines)
    for sentence in (
        "17 rates of 6 currencies from 1999-01-04 to 2026-10-30: 17 new, 0 corrected",
        "USD on 2026-10-30: 1.1566 instead of 1.170 (source rough)",
        "RUB: no rate from 2022-03-08 on",
        "CHF: not in the bank's table, kept (source rough)",
        f"written to {path}",
        "Purchases of before keep their amounts and verdicts",
    ):
        assert sentence in done.output


def test_the_same_history_changes_nothing_and_a_longer_one_only_adds(
    home: Path, archive: Path
) -> None:
    fetch("--file", archive)
    path = home / "rates/eur.csv"
    before = path.stat()
    again = fetch("--file", archive)
    assert "nothing changed" in again.output
    assert path.stat().st_ino == before.st_ino  # not even replaced by an equal one
    longer = CONTENT.replace(HEADER, f"{HEADER}\n2026-11-02,1.1601,180.0,N/A,N/A,0.88,49.2,")
    document = json.loads(fetch("--file", write(archive, longer), "--json").stdout)
    assert (document["added"], document["corrected"], document["is_changed"]) == (4, 0, True)
    assert document["newest_day"] == "2026-11-02"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (CONTENT.replace("1.1566", "11.566").replace("1.1572", "11.572"), "--accept USD"),
        (CONTENT.replace("1.1566", "x"), "line 2: units_per_euro must be a positive"),
        ("", "line 0: must begin with Date"),
    ],
)
def test_a_refused_history_leaves_the_rates_as_they_are(
    home: Path, archive: Path, content: str, sentence: str
) -> None:
    fetch("--file", archive)
    before = (home / "rates/eur.csv").read_bytes()
    refused = fetch("--file", write(archive, content))
    assert refused.exit_code == 2
    assert sentence in refused.stderr
    assert "the rates stay as they are" in refused.stderr
    assert (home / "rates/eur.csv").read_bytes() == before
    assert [one.name for one in (home / "rates").iterdir() if one.suffix != ".lock"] == ["eur.csv"]


@pytest.mark.usefixtures("home")
def test_an_absent_file_is_a_usage_error_and_an_unreachable_bank_names_the_cure() -> None:
    absent = fetch("--file", "absent.zip")
    assert (absent.exit_code, "cannot be read" in absent.stderr) == (2, True)
    unreachable = fetch("--url", "http://127.0.0.1:9/hist.zip")
    assert isinstance(unreachable.exception, StackError)
    assert "fetch --file eurofxref-hist.zip" in str(unreachable.exception)


def test_a_broken_rate_file_of_the_home_is_not_replaced(home: Path, archive: Path) -> None:
    path = home / "rates/eur.csv"
    path.parent.mkdir(parents=True)
    path.write_text("broken")
    refused = fetch("--file", archive)
    assert isinstance(refused.exception, StackError)
    assert "line 1" in str(refused.exception)
    assert path.read_text() == "broken"


@pytest.mark.parametrize(
    ("service", "prefix"), [("ingest", "INGEST"), ("airflow_scheduler", "EXTRACT")]
)
def test_ingest_and_extract_read_the_file_that_is_fetched(service: str, prefix: str) -> None:
    home = Home(root=Path("/r"), runtime=Path("/t"), folder=Path("/h"))
    environment = catalogue.load().services[service].environment
    paths = {
        name: Path(environment[f"{prefix}_{name}"].format(home=home.folder, root=home.root))
        for name in ("RATES_PATH", "DEFAULT_RATES_PATH")
    }
    assert paths == {
        "RATES_PATH": home.rates_file,
        "DEFAULT_RATES_PATH": home.default_rates_file,
    }
