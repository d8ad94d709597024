from __future__ import annotations

from datetime import date, timedelta

import pytest

from fraudwatch.orchestration.days import MOST_DAYS, Asked, DaysRefused, days_to_do, ranges_of

TODAY = date(2026, 11, 21)
EMPTY: dict[str, str | None] = {"day": None, "from": None, "until": None}


def asked(**more: object) -> Asked:
    return Asked(**({"today": TODAY, "params": EMPTY} | more))  # type: ignore[arg-type]


def november(*days: int) -> list[date]:
    return [date(2026, 11, day) for day in days]


def test_by_hand_without_a_word_it_is_yesterday() -> None:
    assert days_to_do(asked()) == november(20)


def test_the_daily_run_merges_the_two_days_before_again() -> None:
    run = asked(is_daily=True, interval_day=date(2026, 11, 20))
    assert days_to_do(run) == november(18, 19, 20)


def test_a_backfill_does_the_day_of_its_interval_alone() -> None:
    assert days_to_do(asked(interval_day=date(2026, 3, 1))) == [date(2026, 3, 1)]


def test_an_event_stands_for_every_closed_day_behind_it() -> None:
    # Of seven that came at once, Airflow handed the first to a run and kept six.
    assert days_to_do(asked(events=("2026-11-17",))) == november(17, 18, 19, 20)


def test_events_of_long_ago_name_their_own_days_once_each() -> None:
    long_ago = ("2026-01-03", "2026-01-02", "2026-01-03")
    assert days_to_do(asked(events=long_ago)) == [date(2026, 1, 2), date(2026, 1, 3)]


def test_a_person_is_heard_before_events() -> None:
    params = EMPTY | {"day": "2026-11-02"}
    assert days_to_do(asked(params=params, events=("2026-11-19",))) == november(2)


def test_a_range_includes_both_ends() -> None:
    params = EMPTY | {"from": "2026-11-02", "until": "2026-11-04"}
    assert days_to_do(asked(params=params)) == november(2, 3, 4)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"day": "2026-11-02", "from": "2026-11-02"}, "give one"),
        ({"from": "2026-11-02"}, "give both"),
        ({"until": "2026-11-02"}, "give both"),
        ({"from": "2026-11-04", "until": "2026-11-02"}, "turn them"),
        ({"day": "2026-02-30"}, "no calendar"),
        ({"day": "2026-11-21"}, "not over yet"),
        ({"from": "2026-11-20", "until": "2026-11-21"}, "not over yet"),
        ({"from": "2026-01-01", "until": "2026-10-01"}, "at most 31"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_cure(params: dict[str, str], why: str) -> None:
    with pytest.raises(DaysRefused, match=why):
        days_to_do(asked(params=EMPTY | params))


def test_an_event_of_a_day_that_is_not_over_is_refused() -> None:
    with pytest.raises(DaysRefused, match="not over yet"):
        days_to_do(asked(events=("2026-11-21",)))


def test_a_month_may_be_done_at_once() -> None:
    first = TODAY - timedelta(days=MOST_DAYS)
    params = EMPTY | {"from": first.isoformat(), "until": "2026-11-20"}
    assert len(days_to_do(asked(params=params))) == MOST_DAYS


def test_ranges_have_no_days_that_nobody_asked_for() -> None:
    assert ranges_of(november(20, 2, 3, 4, 20, 19)) == [
        (date(2026, 11, 2), date(2026, 11, 4)),
        (date(2026, 11, 19), date(2026, 11, 20)),
    ]
    assert ranges_of([]) == []
