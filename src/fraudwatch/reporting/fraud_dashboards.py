"""Dashboards of fraud, for everybody: money, geography, merchants and categories, rules."""

from __future__ import annotations

from typing import Final

from fraudwatch.reporting.assets import Chart, Dashboard, DataSet, Kind
from fraudwatch.reporting.data_sets import (
    BY_CATEGORY,
    BY_COUNTRY,
    BY_DAY,
    BY_MERCHANT,
    MONEY,
    RULES,
)


def _number(title: str, data_set: DataSet, metric: str, about: str) -> Chart:
    return Chart(title, Kind.NUMBER, data_set, (metric,), about=about, width=3, height=22)


OVERVIEW: Final = Dashboard(
    "fraud-overview",
    "Fraud overview",
    "Money lost, missed, blocked and saved. Labels come late: the last weeks change.",
    (
        (
            _number(
                "Money lost, EUR", MONEY, "lost_eur", "Missed fraud and wrongly blocked purchases"
            ),
            _number("Fraud missed, EUR", MONEY, "missed_eur", "Approved, and known to be fraud"),
            _number(
                "Money blocked", MONEY, "blocked_eur", "Declined, whatever it turned out to be"
            ),
            _number("Fraud loss saved, EUR", MONEY, "saved_eur", "Declined, and known to be fraud"),
        ),
        (
            Chart(
                "Fraud by what happened to it, by week",
                Kind.BARS,
                MONEY,
                ("saved_eur", "reviewed_fraud_eur", "challenged_fraud_eur", "missed_eur"),
                axis="week_on",
                stacked=True,
                width=8,
            ),
            Chart(
                "Value detection rate by week",
                Kind.LINES,
                MONEY,
                ("value_recall_ratio",),
                axis="week_on",
                about="Share of the fraud's money that was not missed",
                width=4,
            ),
        ),
        (
            Chart(
                "Alerts by outcome and day",
                Kind.BARS,
                BY_DAY,
                ("reviewed", "challenged", "declined"),
                axis="event_on",
                stacked=True,
                width=8,
            ),
            Chart(
                "Precision and recall by week",
                Kind.LINES,
                BY_DAY,
                ("precision_ratio", "recall_ratio"),
                axis="week_on",
                about="Precision over decided alerts, recall over known frauds",
                width=4,
            ),
        ),
    ),
)
GEOGRAPHY: Final = Dashboard(
    "geography",
    "Geography",
    "Fraud by the merchant's country.",
    (
        (
            Chart(
                "Known fraud by country, EUR",
                Kind.MAP,
                BY_COUNTRY,
                ("known_fraud_eur",),
                by=("merchant_country",),
                width=8,
                height=60,
            ),
            Chart(
                "Countries by known fraud",
                Kind.TABLE,
                BY_COUNTRY,
                ("known_fraud_eur", "known_fraud", "fraud_ratio", "alert_ratio"),
                by=("merchant_country",),
                width=4,
                height=60,
            ),
        ),
        (
            Chart(
                "Alerts by country and week",
                Kind.BARS,
                BY_COUNTRY,
                ("alerts",),
                by=("merchant_country",),
                axis="week_on",
                stacked=True,
                width=12,
            ),
        ),
    ),
)
MERCHANTS: Final = Dashboard(
    "merchants-and-categories",
    "Merchants and categories",
    "Where fraud is bought.",
    (
        (
            Chart(
                "Categories by known fraud",
                Kind.TABLE,
                BY_CATEGORY,
                ("known_fraud_eur", "known_fraud", "fraud_ratio", "alert_ratio", "precision_ratio"),
                by=("category",),
                width=6,
            ),
            Chart(
                "Known fraud by category and week, EUR",
                Kind.BARS,
                BY_CATEGORY,
                ("known_fraud_eur",),
                by=("category",),
                axis="week_on",
                stacked=True,
            ),
        ),
        (
            Chart(
                "Merchants by known fraud",
                Kind.TABLE,
                BY_MERCHANT,
                (
                    "known_fraud_eur",
                    "known_fraud",
                    "fraud_ratio",
                    "purchases",
                    "alerts",
                    "alert_ratio",
                    "precision_ratio",
                ),
                by=("merchant_id",),
                width=12,
                height=70,
            ),
        ),
    ),
)
RULE_BOARD: Final = Dashboard(
    "rules",
    "Rules",
    "Which rules find fraud, and which cost analysts' time. A purchase may hit several.",
    (
        (
            Chart(
                "Rules by hits on known fraud",
                Kind.TABLE,
                RULES,
                (
                    "hits_known_fraud",
                    "hits",
                    "hits_known_genuine",
                    "precision_ratio",
                    "sole_hit_alerts",
                ),
                by=("rule",),
                width=6,
                height=60,
            ),
            Chart(
                "Alerts by a single rule, by week",
                Kind.BARS,
                RULES,
                ("sole_hit_alerts",),
                by=("rule",),
                axis="week_on",
                about="Alerts for which this rule is the only reason",
                stacked=True,
                height=60,
            ),
        ),
        (
            Chart(
                "Hits by rule and week",
                Kind.LINES,
                RULES,
                ("hits",),
                by=("rule",),
                axis="week_on",
                width=12,
            ),
        ),
    ),
)
