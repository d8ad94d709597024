"""The patterns screen's tables, as charts and readers of tables take them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import pandas as pd

from streamlit_app.patterns.fold import (
    Counts,
    Folded,
    by_weekday_and_hour,
)
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import (
    NO_DATA_BEFORE,
    Rate,
    change_of_ratio,
    percent,
)

SURE, TOO_FEW_WORDS = "enough to say", "too few to say"
UNKNOWN_VALUE: Final = "unknown"
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# What tables call the columns that charts name in code.
TITLES: Final = {
    "name": "Name",
    "rate": "Alert rate",
    "interval": "95 % interval",
    "alerts": "Alerts",
    "purchases": "Purchases",
    "change": "Beside before",
    "state": "Sure?",
}

_ROW: Final = (
    *("name", "rate", "rate_words", "low", "high", "interval"),
    *("alerts", "purchases", "counts", "state"),
)


def group_rows(
    current: Mapping[str, Counts],
    before: Mapping[str, Counts],
    *,
    least_purchases: int = 0,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """One row a group, highest rate first; those with too few to say come last."""
    not_there = "no purchases before" if before else NO_DATA_BEFORE
    rows: list[dict[str, Any]] = [
        _row((names or {}).get(value, value) or UNKNOWN_VALUE, counts)
        | {
            "value": value,
            "change": change_of_ratio(
                counts.rate.ratio, before.get(value, Counts()).rate.ratio, unknown=not_there
            ).words,
        }
        for value, counts in current.items()
        if counts.purchases >= max(1, least_purchases)
    ]
    rows.sort(key=lambda row: (row["state"] != SURE, -row["rate"], -row["purchases"]))
    return pd.DataFrame(rows, columns=["value", *_ROW, "change"])


def weekdays_of(period: Period) -> tuple[str, ...]:
    """The weekdays that a period has, Monday first."""
    return tuple(WEEKDAYS[number] for number in sorted({day.weekday() for day in period.current}))


def heat_rows(current: Folded, weekdays: Iterable[str] = WEEKDAYS) -> pd.DataFrame:
    """One row for each hour of these weekdays; hours without a purchase are too few to say."""
    cells = by_weekday_and_hour(current)
    return pd.DataFrame(
        [
            _row(f"{weekday} {hour:02d}:00", cells.get((WEEKDAYS.index(weekday), hour), Counts()))
            | {"weekday": weekday, "hour": f"{hour:02d}"}
            for weekday in weekdays
            for hour in range(24)
        ],
        columns=["weekday", "hour", *_ROW],
    )


def trend_rows(current: Folded, before: Folded, period: Period) -> pd.DataFrame:
    """The alert rate by day, or by hour if the period is a day; the period before beside it."""
    lines = ((period.words, period.current, current), (period.before_words, period.before, before))
    rows = [
        point | {"series": series}
        for series, days, folded in lines
        for point in (
            _by_hour(folded) if period.days == 1 else _by_day(folded, days, period.current)
        )
    ]
    return pd.DataFrame(rows, columns=["series", "at", *_ROW])


def table(rows: pd.DataFrame, *, first: str) -> pd.DataFrame:
    """The same for a reader of tables: rates in percent, the columns in words."""
    shown = rows[[name for name in TITLES if name in rows]].copy()
    shown["rate"] = rows["rate"] * 100
    return shown.rename(columns=TITLES | {"name": first})


def not_drawn(codes: Iterable[str], drawn: Iterable[str]) -> list[str]:
    """Countries with purchases that the map has no outline of."""
    return sorted(set(codes) - set(drawn) - {""})


def _row(name: str, counts: Counts) -> dict[str, Any]:
    rate: Rate = counts.rate
    low, high = rate.interval
    return {
        "name": name,
        "rate": rate.ratio,
        "rate_words": percent(rate.ratio),
        "low": low,
        "high": high,
        "interval": f"{percent(low)} to {percent(high)}",
        "alerts": counts.alerts,
        "purchases": counts.purchases,
        "counts": rate.words,
        "state": SURE if rate.is_sure else TOO_FEW_WORDS,
    }


def _by_hour(folded: Folded) -> list[dict[str, Any]]:
    return [
        _row(f"{day} {hour:02d}:00", counts) | {"at": f"{hour:02d}"}
        for (day, hour), counts in sorted(folded.hours.items())
    ]


def _by_day(
    folded: Folded, days: tuple[date, ...], shown_as: tuple[date, ...]
) -> list[dict[str, Any]]:
    return [
        _row(day.isoformat(), folded.days[day.isoformat()]) | {"at": shown.isoformat()}
        for day, shown in zip(days, shown_as, strict=True)
        if day.isoformat() in folded.days
    ]
