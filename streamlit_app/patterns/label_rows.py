"""Rows of labels by day, for charts and tables; pure."""

from __future__ import annotations

from datetime import date
from typing import Final

import pandas as pd

from fraudwatch.domain.evaluation.labelled_alerts import LabelledAlertCounts
from streamlit_app.patterns.labels import LabelSummary, caught, false_positives
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import UNKNOWN, euros

# Table titles of the columns that charts use by name.
_TITLES: Final = {
    "day": "Day",
    "decided": "Analysts decided: genuine",
    "caught": "Frauds caught",
    "missed": "Frauds missed",
    "caught_words": "Caught, EUR",
}
_COLUMNS: Final = (
    *("series", "at", "day", "false_positive_ratio", "decided"),
    *("caught_eur", "caught_words", "known_eur", "caught", "missed"),
)


def label_rows(known: LabelSummary, period: Period, *, is_before_known: bool) -> pd.DataFrame:
    """Build a row for each day with labels; the period before is aligned with this one's days."""
    spans = [(period.words, period.current, known.all.current, known.decided.current)]
    if is_before_known:
        spans.append((period.before_words, period.before, known.all.before, known.decided.before))
    rows = [
        _row(day, by_all[name], decided.get(name, LabelledAlertCounts()))
        | {"series": series, "at": shown.isoformat()}
        for series, days, by_all, decided in spans
        for day, shown in zip(days, period.current, strict=True)
        if (name := day.isoformat()) in by_all
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def label_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Select and rename the columns for the table."""
    return rows[list(_TITLES)].rename(columns=_TITLES)


def _row(day: date, found: LabelledAlertCounts, decided: LabelledAlertCounts) -> dict[str, object]:
    wrong, is_known = false_positives(decided), bool(caught(found).of)
    return {
        "day": day.isoformat(),
        "false_positive_ratio": wrong.ratio,
        "decided": wrong.words if wrong.of else "none decided",
        "caught_eur": found.caught_eur_cents / 100 if is_known else None,
        "caught_words": euros(found.caught_eur_cents) if is_known else UNKNOWN,
        "known_eur": (found.caught_eur_cents + found.missed_eur_cents) / 100,
        "caught": found.caught,
        "missed": found.missed,
    }
