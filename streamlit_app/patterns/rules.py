"""Rows by rule: how often it hit, and the share of fraud among labelled hits; pure.

Alert rates would not help: a purchase that a rule hits is nearly always an alert.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from fraudwatch.domain.evaluation.labelled_alerts import RuleLabelCounts
from fraudwatch.domain.tally import Dimension
from streamlit_app.patterns.rates import NO_DATA_BEFORE, UNKNOWN, HitRate, percent
from streamlit_app.patterns.tally_sums import TallySums

FRAUD_SHARE: Final = "Fraud among labelled"
# Table titles of the columns that charts use by name.
_TITLES: Final = {
    "name": "Rule",
    "hits": "Purchases hit",
    "per_thousand": "Per 1,000 purchases",
    "per_thousand_before": "Per 1,000 before",
    "fraud_percent": FRAUD_SHARE,
    "fraud_counts": "Frauds of labelled",
}
_COLUMNS: Final = (*_TITLES, "counts", "fraud_words")


def rule_rows(
    current: TallySums, before: TallySums, truths: Mapping[str, RuleLabelCounts]
) -> pd.DataFrame:
    """Build a row for each rule, most hits first."""
    hits, hits_before = current.group(Dimension.RULE), before.group(Dimension.RULE)
    of, of_before = current.all.purchases, before.all.purchases
    rows = [
        _row(rule, HitRate(counts.purchases, of), truths.get(rule, RuleLabelCounts()))
        | {
            "per_thousand_before": _per_thousand_before(
                hits_before[rule].purchases if rule in hits_before else 0, of_before
            )
        }
        for rule, counts in hits.items()
    ]
    rows.sort(key=lambda row: (-row["hits"], row["name"]))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def rule_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Select and rename the columns for the table."""
    return rows[list(_TITLES)].rename(columns=_TITLES)


def _row(rule: str, hit: HitRate, truth: RuleLabelCounts) -> dict[str, Any]:
    fraud = HitRate(truth.frauds, truth.labelled)
    return {
        "name": rule,
        "hits": hit.hits,
        "per_thousand": hit.ratio * 1_000,
        "counts": f"{hit.hits:,} ({_per_thousand(hit)} per 1,000)",
        "fraud_percent": fraud.ratio * 100,
        "fraud_counts": fraud.words if fraud.of else "no labels",
        "fraud_words": f"{percent(fraud.ratio)} ({fraud.words})" if fraud.of else "no labels",
    }


def _per_thousand_before(hits: int, of: int) -> str:
    return _per_thousand(HitRate(hits, of)) if of else NO_DATA_BEFORE


def _per_thousand(hit: HitRate) -> str:
    return UNKNOWN if math.isnan(hit.ratio) else f"{hit.ratio * 1_000:.2f}"
