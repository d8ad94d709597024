from __future__ import annotations

from fraudwatch.domain.rate_history import PublishedHistory, RateRow

DAYS = ("2022-02-28", "2022-03-01", "2022-03-08", "2022-03-09", "2022-03-10")


def history(**rates: list[tuple[str, str]]) -> PublishedHistory:
    return PublishedHistory("ecb", DAYS, rates)


def test_a_currency_ends_a_week_after_its_last_rate_while_the_table_goes_on() -> None:
    rows = [*history(RUB=[("2022-02-28", "115"), ("2022-03-01", "117.2")]).rows()]
    assert rows == [
        RateRow("2022-02-28", "RUB", "115", "ecb"),
        RateRow("2022-03-01", "RUB", "117.2", "ecb"),
        RateRow("2022-03-08", "RUB", "none", "ecb"),
    ]


def test_a_currency_that_is_suspended_has_no_rate_in_between() -> None:
    rows = [*history(ISK=[("2022-02-28", "140"), ("2022-03-10", "150")]).rows()]
    assert [(row.valid_on, row.units) for row in rows] == [
        ("2022-02-28", "140"),
        ("2022-03-07", "none"),
        ("2022-03-10", "150"),
    ]


def test_weekends_and_holidays_end_nothing() -> None:
    rates = [("2022-03-01", "1.1"), ("2022-03-08", "1.2"), ("2022-03-10", "1.3")]
    assert [row.units for row in history(USD=rates).rows()] == ["1.1", "1.2", "1.3"]
    assert [row.units for row in history(USD=rates[:-1]).rows()] == ["1.1", "1.2"]


def test_jumps_are_those_of_neighbouring_days_either_way() -> None:
    up = [("2022-02-28", "1.0"), ("2022-03-01", "2.0"), ("2022-03-08", "4.1")]
    down = [("2022-03-08", "4.1"), ("2022-03-09", "2.0")]
    after_a_pause = [("2022-02-28", "290"), ("2022-03-10", "125")]
    assert [*history(AAA=up, BBB=down, CCC=after_a_pause).jumps(2.0)] == [
        ("AAA", up[1], up[2]),
        ("BBB", down[0], down[1]),
    ]
