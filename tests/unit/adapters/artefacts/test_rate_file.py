from __future__ import annotations

import gc
import tracemalloc
from datetime import date, timedelta
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.rate_file import BrokenRates, load_rates, read_rows
from fraudwatch.domain.money import EuroAmount, MissingRate
from fraudwatch.domain.rate_history import RateRow

SHIPPED = Path(__file__).parents[4] / "contracts" / "rates" / "eur.csv"
HEADER = "valid_on,currency,units_per_euro\n"
WITH_SOURCE = "valid_on,currency,units_per_euro,source\n"


def test_rates_convert_at_the_newest_that_is_not_after_the_day(tmp_path: Path) -> None:
    path = tmp_path / "eur.csv"
    path.write_text(HEADER + "2020-01-01,USD,1.25\n2021-01-01,USD,2\n", encoding="utf-8")
    rates = load_rates(path)
    assert rates.to_eur(1000, "USD", "2020-12-31") == EuroAmount(800, "2020-01-01")
    assert rates.to_eur(1000, "USD", "2021-01-01") == EuroAmount(500, "2021-01-01")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: must be valid_on,currency,units_per_euro,source"),
        ("day,currency,rate\n", "line 1: must be"),
        (HEADER, "has no rate"),
        (HEADER + "2020-01-01,USD\n", "line 2: must have 3 cells, has 2"),
        (HEADER + "2020-01-01,USD,1.1\n2020-13-01,USD,1.1\n", "line 3: valid_on must be a day"),
        (HEADER + "20200101,USD,1.1\n", "line 2: valid_on must be a day"),
        (HEADER + "2020-01-01,usd,1.1\n", "line 2: currency must be an ISO 4217 code"),
        (HEADER + "2020-01-01,EUR,1\n", "line 2: EUR needs no rate"),
        (HEADER + "2020-01-01,USD,0\n", "line 2: units_per_euro must be a positive"),
        (HEADER + "2020-01-01,USD,NaN\n", "line 2: units_per_euro must be a positive"),
        (HEADER + '2020-01-01,USD,"1,1"\n', "line 2: units_per_euro must be a positive"),
        (HEADER + "2020-01-01,USD,\n", "line 2: units_per_euro must be a positive"),
        (HEADER + "2020-01-01,USD,\u0661\n", "line 2: units_per_euro must be a positive"),
        (HEADER + "\n2020-01-01,USD,1.1\n", "line 2: must have 3 cells, has 0"),
        (HEADER + 2 * "2020-01-01,USD,1.1\n", "line 3: a second rate of USD for 2020-01-01"),
        (
            HEADER + "2020-01-02,USD,1\n2020-01-01,USD,1\n2020-01-02,USD,2\n",
            "line 4: a second rate of USD for 2020-01-02",
        ),
        (WITH_SOURCE + "2020-01-01,USD,1.1\n", "line 2: must have 4 cells, has 3"),
        (WITH_SOURCE + "2020-01-01,USD,1.1,\n", "line 2: source must be a short word"),
    ],
)
def test_a_broken_rate_file_names_line_and_cause(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "eur.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenRates) as broken:
        load_rates(path)
    assert sentence in str(broken.value)
    assert str(path) in str(broken.value)


def test_rows_may_have_any_order(tmp_path: Path) -> None:
    path = tmp_path / "eur.csv"
    path.write_text(HEADER + "2021-01-01,USD,2\n2019-01-01,USD,4\n2020-01-01,USD,1.25\n")
    rates = load_rates(path)
    days = ("2019-12-31", "2020-12-31", "2021-01-01")
    assert [rates.to_eur(1000, "USD", day).eur_cents for day in days] == [250, 800, 500]


def test_an_ended_currency_has_no_rate_until_its_next(tmp_path: Path) -> None:
    path = tmp_path / "eur.csv"
    rows = "2008-12-03,ISK,290.0,ecb\n2008-12-10,ISK,none,ecb\n2018-02-01,ISK,125,ecb\n"
    path.write_text(WITH_SOURCE + rows)
    rates = load_rates(path)
    assert rates.to_eur(290, "ISK", "2008-12-09") == EuroAmount(100, "2008-12-03")
    assert rates.to_eur(250, "ISK", "2018-02-01") == EuroAmount(200, "2018-02-01")
    with pytest.raises(MissingRate, match=r"no rate of ISK on 2017-06-01: .* ended on 2008-12-10"):
        rates.to_eur(290, "ISK", "2017-06-01")


def test_the_source_of_a_row_is_read_and_unstated_without_its_column(tmp_path: Path) -> None:
    path = tmp_path / "eur.csv"
    path.write_text(WITH_SOURCE + "2020-01-01,USD,1.10,rough\n")
    assert [*read_rows(path)] == [RateRow("2020-01-01", "USD", "1.10", "rough")]
    path.write_text(HEADER + "2020-01-01,USD,1.10\n")
    assert [*read_rows(path)] == [RateRow("2020-01-01", "USD", "1.10", "unstated")]


def test_the_default_is_read_where_there_is_no_file(tmp_path: Path) -> None:
    own, default = tmp_path / "rates" / "eur.csv", tmp_path / "default.csv"
    default.write_text(HEADER + "2020-01-01,USD,2\n")
    assert load_rates(own, default).to_eur(200, "USD", "2020-01-01").eur_cents == 100
    own.parent.mkdir()
    own.write_text(HEADER + "2020-01-01,USD,4\n")
    assert load_rates(own, default).to_eur(200, "USD", "2020-01-01").eur_cents == 50
    own.write_text("broken")
    with pytest.raises(BrokenRates):  # never the default in place of a file that is there
        load_rates(own, default)


def test_a_daily_history_is_small_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "eur.csv"
    days = [date(2000, 1, 1) + timedelta(days=number) for number in range(1_000)]
    codes = ("USD", "GBP", "JPY", "CHF", "SEK")
    rows = [f"{day},{code},{day.day}.{day.month:03}\n" for day in days for code in codes]
    path.write_text(HEADER + "".join(rows))
    tracemalloc.start()
    rates = load_rates(path)
    gc.collect()
    occupied_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert occupied_bytes < 32 * len(rows)  # 224,000 rates: less than 7 MiB
    assert rates.to_eur(31_120, "CHF", "2000-12-31").rate_on == "2000-12-31"


def test_an_absent_rate_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenRates, match=r"absent\.csv cannot be read"):
        load_rates(tmp_path / "absent.csv")


def test_shipped_rates_cover_the_public_data_and_the_demo() -> None:
    rates = load_rates(SHIPPED)
    codes = ["GBP", "USD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "JPY"]
    codes += ["CAD", "AUD", "TRY", "BRL", "INR"]
    for code in codes:
        for year in range(2017, 2027):
            assert rates.to_eur(10_000, code, f"{year}-06-30").rate_on == f"{year}-01-01"
    assert 8_000 < rates.to_eur(10_000, "USD", "2020-03-01").eur_cents < 9_500
    assert 70 < rates.to_eur(100, "JPY", "2020-03-01").eur_cents < 90
