"""Rows of the patterns page for charts and tables; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import pandas as pd

from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import (
    NO_DATA_BEFORE,
    HitRate,
    change_of_ratio,
    percent,
)
from streamlit_app.patterns.tally_sums import (
    PurchaseCounts,
    TallySums,
    by_weekday_and_hour,
)

ENOUGH, TOO_FEW_TEXT = "enough data", "too few"
UNKNOWN_VALUE: Final = "unknown"
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Table titles of the columns that charts use by name.
TITLES: Final = {
    "name": "Name",
    "rate": "Alert rate",
    "interval": "95 % interval",
    "alerts": "Alerts",
    "purchases": "Purchases",
    "change": "Change",
    "state": "Enough data?",
}

_ROW: Final = (
    *("name", "rate", "rate_words", "low", "high", "interval"),
    *("alerts", "purchases", "counts", "state"),
)


def group_rows(
    current: Mapping[str, PurchaseCounts],
    before: Mapping[str, PurchaseCounts],
    *,
    min_purchases: int = 0,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Build a row for each group, highest rate first; groups with too few purchases come last."""
    no_change = "no purchases before" if before else NO_DATA_BEFORE
    rows: list[dict[str, Any]] = [
        _row((names or {}).get(value, value) or UNKNOWN_VALUE, counts)
        | {
            "value": value,
            "change": change_of_ratio(
                counts.rate.ratio, before.get(value, PurchaseCounts()).rate.ratio, unknown=no_change
            ).words,
        }
        for value, counts in current.items()
        if counts.purchases >= max(1, min_purchases)
    ]
    rows.sort(key=lambda row: (row["state"] != ENOUGH, -row["rate"], -row["purchases"]))
    return pd.DataFrame(rows, columns=["value", *_ROW, "change"])


def weekdays_of(period: Period) -> tuple[str, ...]:
    """List the weekdays of a period, Monday first."""
    return tuple(WEEKDAYS[number] for number in sorted({day.weekday() for day in period.current}))


def heat_rows(current: TallySums, weekdays: Iterable[str] = WEEKDAYS) -> pd.DataFrame:
    """Build a row for each hour of these weekdays; hours without purchases have too few."""
    cells = by_weekday_and_hour(current)
    return pd.DataFrame(
        [
            _row(
                f"{weekday} {hour:02d}:00",
                cells.get((WEEKDAYS.index(weekday), hour), PurchaseCounts()),
            )
            | {"weekday": weekday, "hour": f"{hour:02d}"}
            for weekday in weekdays
            for hour in range(24)
        ],
        columns=["weekday", "hour", *_ROW],
    )


def trend_rows(current: TallySums, before: TallySums, period: Period) -> pd.DataFrame:
    """Build rows of the alert rate by day, or by hour for one day, with the period before."""
    lines = ((period.words, period.current, current), (period.before_words, period.before, before))
    rows = [
        point | {"series": series}
        for series, days, sums in lines
        for point in (_by_hour(sums) if period.days == 1 else _by_day(sums, days, period.current))
    ]
    return pd.DataFrame(rows, columns=["series", "at", *_ROW])


def table(rows: pd.DataFrame, *, first: str) -> pd.DataFrame:
    """Convert rows for the table: rates in percent, columns with titles."""
    shown = rows[[name for name in TITLES if name in rows]].copy()
    shown["rate"] = rows["rate"] * 100
    return shown.rename(columns=TITLES | {"name": first})


def not_drawn(codes: Iterable[str], drawn: Iterable[str]) -> list[str]:
    """List countries with purchases that the map has no outline of."""
    return sorted(set(codes) - set(drawn) - {""})


def _row(name: str, counts: PurchaseCounts) -> dict[str, Any]:
    rate: HitRate = counts.rate
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
        "state": ENOUGH if rate.has_enough else TOO_FEW_TEXT,
    }


def _by_hour(sums: TallySums) -> list[dict[str, Any]]:
    return [
        _row(f"{day} {hour:02d}:00", counts) | {"at": f"{hour:02d}"}
        for (day, hour), counts in sorted(sums.hours.items())
    ]


def _by_day(
    sums: TallySums, days: tuple[date, ...], shown_as: tuple[date, ...]
) -> list[dict[str, Any]]:
    return [
        _row(day.isoformat(), sums.days[day.isoformat()]) | {"at": shown.isoformat()}
        for day, shown in zip(days, shown_as, strict=True)
        if day.isoformat() in sums.days
    ]
