"""How often each rule hit, and how often rightly as far as labels tell; pure.

Not their alert rates: what hits a rule is nearly always an alert.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from fraudwatch.domain.labelled import RuleTruth
from fraudwatch.domain.tally import Dimension
from streamlit_app.patterns.fold import Folded
from streamlit_app.patterns.rates import NO_DATA_BEFORE, UNKNOWN, Rate, percent

FRAUD_SHARE: Final = "Fraud among labelled"
# What the table calls the columns that charts name in code.
_TITLES: Final = {
    "name": "Rule",
    "hits": "Purchases hit",
    "per_thousand": "Per 1,000 purchases",
    "per_thousand_before": "Per 1,000 before",
    "fraud_percent": FRAUD_SHARE,
    "fraud_counts": "Frauds of labelled",
}
_COLUMNS: Final = (*_TITLES, "counts", "fraud_words")


def rule_rows(current: Folded, before: Folded, truths: Mapping[str, RuleTruth]) -> pd.DataFrame:
    """One row a rule, the one that hit most often first."""
    hits, hits_before = current.group(Dimension.RULE), before.group(Dimension.RULE)
    of, of_before = current.all.purchases, before.all.purchases
    rows = [
        _row(rule, Rate(counts.purchases, of), truths.get(rule, RuleTruth()))
        | {
            "per_thousand_before": _was(
                hits_before[rule].purchases if rule in hits_before else 0, of_before
            )
        }
        for rule, counts in hits.items()
    ]
    rows.sort(key=lambda row: (-row["hits"], row["name"]))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def rule_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The same for a reader of tables."""
    return rows[list(_TITLES)].rename(columns=_TITLES)


def _row(rule: str, hit: Rate, truth: RuleTruth) -> dict[str, Any]:
    right = Rate(truth.frauds, truth.labelled)
    return {
        "name": rule,
        "hits": hit.hits,
        "per_thousand": hit.ratio * 1_000,
        "counts": f"{hit.hits:,} ({_per_thousand(hit)} per 1,000)",
        "fraud_percent": right.ratio * 100,
        "fraud_counts": right.words if right.of else "no labels",
        "fraud_words": f"{percent(right.ratio)} ({right.words})" if right.of else "no labels",
    }


def _was(hits: int, of: int) -> str:
    return _per_thousand(Rate(hits, of)) if of else NO_DATA_BEFORE


def _per_thousand(hit: Rate) -> str:
    return UNKNOWN if math.isnan(hit.ratio) else f"{hit.ratio * 1_000:.2f}"
