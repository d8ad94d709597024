from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.rate_file import BrokenRates, load_rates
from fraudwatch.domain.money import EuroAmount

SHIPPED = Path(__file__).parents[4] / "contracts" / "rates" / "eur.csv"
HEADER = "valid_on,currency,units_per_euro\n"


def test_rates_convert_at_the_newest_that_is_not_after_the_day(tmp_path: Path) -> None:
    path = tmp_path / "eur.csv"
    path.write_text(HEADER + "2020-01-01,USD,1.25\n2021-01-01,USD,2\n", encoding="utf-8")
    rates = load_rates(path)
    assert rates.to_eur(1000, "USD", "2020-12-31") == EuroAmount(800, "2020-01-01")
    assert rates.to_eur(1000, "USD", "2021-01-01") == EuroAmount(500, "2021-01-01")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: must be valid_on,currency,units_per_euro"),
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
        (HEADER + 2 * "2020-01-01,USD,1.1\n", "line 3: a second rate of USD for 2020-01-01"),
    ],
)
def test_a_broken_rate_file_names_line_and_cause(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "eur.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenRates) as broken:
        load_rates(path)
    assert sentence in str(broken.value)
    assert str(path) in str(broken.value)


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
