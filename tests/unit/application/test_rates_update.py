from __future__ import annotations

import pytest

from fraudwatch.application.rates_update import ImplausibleRates, Replaced, update_rates
from fraudwatch.domain.rate_history import PublishedHistory, RateRow

DAYS = ("2026-11-26", "2026-11-27")
ROUGH = [
    RateRow("2026-01-01", "USD", "1.170", "rough"),
    RateRow("2027-01-01", "USD", "9.99", "rough"),
    RateRow("2026-01-01", "AED", "4.300", "rough"),
    RateRow("2026-06-01", "AED", "4.250", "mine"),
]


def published(usd: str = "1.1566", day_before: str = "1.1572") -> PublishedHistory:
    rates = {"USD": [(DAYS[0], day_before), (DAYS[1], usd)], "GBP": [(DAYS[1], "0.8755")]}
    return PublishedHistory("ecb", DAYS, rates)


def test_published_rates_replace_those_of_their_currencies_and_keep_all_others() -> None:
    update = update_rates(ROUGH, published())
    assert update.rows == [
        RateRow("2026-01-01", "AED", "4.300", "rough"),
        RateRow("2026-06-01", "AED", "4.250", "mine"),
        RateRow("2026-11-27", "GBP", "0.8755", "ecb"),
        RateRow("2026-11-26", "USD", "1.1572", "ecb"),
        RateRow("2026-11-27", "USD", "1.1566", "ecb"),
    ]
    assert (update.rates, update.added, update.corrected) == (3, 3, 0)
    assert update.kept == {"AED": ["mine", "rough"]}
    assert update.replaced == [Replaced("USD", "rough", "1.170", "1.1566")]


def test_an_update_counts_new_and_corrected_rates() -> None:
    first = PublishedHistory("ecb", DAYS[:1], {"USD": [(DAYS[0], "1.1570")]})
    update = update_rates(update_rates([], first).rows, published())
    assert (update.rates, update.added, update.corrected) == (3, 2, 1)
    assert update.replaced == []
    again = update_rates(update.rows, published())
    assert (again.rows, again.added, again.corrected) == (update.rows, 0, 0)


def test_an_ended_currency_is_reported_with_its_day() -> None:
    rates = {"USD": [(day, "1.1") for day in DAYS], "RUB": [("2022-03-01", "117.2")]}
    history = PublishedHistory("ecb", ("2022-03-01", *DAYS), rates)
    rough = [RateRow("2026-01-01", "RUB", "9.0", "rough")]
    assert update_rates(rough, history).ended == {"RUB": "2022-03-08"}


def test_a_history_that_lacks_rates_in_use_is_refused() -> None:
    in_use = update_rates([], published()).rows
    older = PublishedHistory("ecb", DAYS[:1], {"USD": [(DAYS[0], "1.1572")]})
    with pytest.raises(
        ImplausibleRates, match=r"2 rates .* missing in it, such as USD on 2026-11-2"
    ):
        update_rates(in_use, older)


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        (
            published("0.5", "0.6"),
            "USD is 0.5 on 2026-11-27, the rate in use .source rough. is 1.1",
        ),
        (published("2.5", "2.5"), "USD is 2.5 on 2026-11-27"),
        (published("1.2", "12"), "USD goes from 12 on 2026-11-26 to 1.2 on 2026-11-27"),
    ],
)
def test_an_implausible_change_is_refused_until_accepted(
    history: PublishedHistory, sentence: str
) -> None:
    with pytest.raises(ImplausibleRates, match=f"{sentence}.*add --accept USD"):
        update_rates(ROUGH, history)
    with pytest.raises(ImplausibleRates):
        update_rates(ROUGH, history, ["GBP"])
    assert update_rates(ROUGH, history, ["USD"]).rates == 3
