from __future__ import annotations

from datetime import date, timedelta

import pytest

from fraudwatch.orchestration.days import MAX_DAYS, InvalidDays, RunRequest, ranges_of, resolve_days

TODAY = date(2026, 11, 21)
EMPTY: dict[str, str | None] = {"day": None, "from": None, "until": None}


def request_of(**more: object) -> RunRequest:
    return RunRequest(**({"today": TODAY, "params": EMPTY} | more))  # type: ignore[arg-type]


def november(*days: int) -> list[date]:
    return [date(2026, 11, day) for day in days]


def test_a_manual_run_without_parameters_is_for_yesterday() -> None:
    assert resolve_days(request_of()) == november(20)


def test_the_daily_run_merges_the_two_days_before_again() -> None:
    run = request_of(is_daily=True, interval_day=date(2026, 11, 20))
    assert resolve_days(run) == november(18, 19, 20)


def test_a_backfill_does_the_day_of_its_interval_alone() -> None:
    assert resolve_days(request_of(interval_day=date(2026, 3, 1))) == [date(2026, 3, 1)]


def test_an_event_covers_every_closed_day_after_it() -> None:
    # Of seven events that arrived at once, Airflow gave the first to a run and held back six.
    assert resolve_days(request_of(events=("2026-11-17",))) == november(17, 18, 19, 20)


def test_old_events_cover_only_their_own_days() -> None:
    long_ago = ("2026-01-03", "2026-01-02", "2026-01-03")
    assert resolve_days(request_of(events=long_ago)) == [date(2026, 1, 2), date(2026, 1, 3)]


def test_the_form_takes_precedence_over_events() -> None:
    params = EMPTY | {"day": "2026-11-02"}
    assert resolve_days(request_of(params=params, events=("2026-11-19",))) == november(2)


def test_a_range_includes_both_ends() -> None:
    params = EMPTY | {"from": "2026-11-02", "until": "2026-11-04"}
    assert resolve_days(request_of(params=params)) == november(2, 3, 4)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"day": "2026-11-02", "from": "2026-11-02"}, "give one"),
        ({"from": "2026-11-02"}, "give both"),
        ({"until": "2026-11-02"}, "give both"),
        ({"from": "2026-11-04", "until": "2026-11-02"}, "swap them"),
        ({"day": "2026-02-30"}, "not in the calendar"),
        ({"day": "2026-11-21"}, "not over yet"),
        ({"from": "2026-11-20", "until": "2026-11-21"}, "not over yet"),
        ({"from": "2026-01-01", "until": "2026-10-01"}, "at most 31"),
    ],
)
def test_invalid_days_are_refused_with_a_fix(params: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidDays, match=reason):
        resolve_days(request_of(params=EMPTY | params))


def test_an_event_of_a_day_that_is_not_over_is_refused() -> None:
    with pytest.raises(InvalidDays, match="not over yet"):
        resolve_days(request_of(events=("2026-11-21",)))


def test_a_month_is_allowed_at_once() -> None:
    first = TODAY - timedelta(days=MAX_DAYS)
    params = EMPTY | {"from": first.isoformat(), "until": "2026-11-20"}
    assert len(resolve_days(request_of(params=params))) == MAX_DAYS


def test_ranges_have_no_days_that_were_not_requested() -> None:
    assert ranges_of(november(20, 2, 3, 4, 20, 19)) == [
        (date(2026, 11, 2), date(2026, 11, 4)),
        (date(2026, 11, 19), date(2026, 11, 20)),
    ]
    assert ranges_of([]) == []
