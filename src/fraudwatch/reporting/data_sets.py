"""The data sets: marts and views of the lake, with the metrics that charts are made of.

Viewers read the views ``report_`` only, which have no row of fewer than ten customers.
"""

from __future__ import annotations

from typing import Final

from fraudwatch import lake
from fraudwatch.reporting.assets import Column, DataSet, Format, Metric
from fraudwatch.reporting.roles import Role


def _count(name: str, label: str) -> Metric:
    return Metric(name, label, f"SUM({name})")


def _euro(name: str, label: str) -> Metric:
    return Metric(f"{name}_eur", label, f"SUM({name}_eur_cents) / 100", Format.EURO)


def _ratio(name: str, label: str, part: str, whole: str) -> Metric:
    return Metric(f"{name}_ratio", label, f"SUM({part}) / NULLIF(SUM({whole}), 0)", Format.PERCENT)


_DAY = Column("event_on", "Day", "DATE")
_SOURCE = Column("source", "Shop")
_WEEK = Column("week_on", "Week", "DATE")
_PERIOD = Column("period", "Day or week")
_COUNTRY = Column("merchant_country", "Country")
_MERCHANT = Column("merchant_id", "Merchant")
_CATEGORY = Column("category", "Category")

_FRAUD: Final = (
    _count("purchases", "Purchases"),
    _euro("amount", "Amount, EUR"),
    _count("judged", "Judged"),
    _count("alerts", "Alerts"),
    _count("reviewed", "Reviewed"),
    _count("challenged", "Challenged"),
    _count("declined", "Declined"),
    _count("known_fraud", "Known frauds"),
    _euro("known_fraud", "Known fraud, EUR"),
    _ratio("alert", "Alert rate", "alerts", "judged"),
    _ratio("fraud", "Known fraud rate", "known_fraud", "judged"),
    _ratio("precision", "Precision", "alerts_decided_fraud", "alerts_decided"),
    _ratio("recall", "Recall", "alerts_known_fraud", "known_fraud"),
)
_CAUGHT = "saved_eur_cents + reviewed_fraud_eur_cents + challenged_fraud_eur_cents"
_MONEY: Final = (
    _euro("judged", "Judged, EUR"),
    _euro("blocked", "Blocked, EUR"),
    _euro("saved", "Saved, EUR"),
    _euro("saved_unconfirmed", "Blocked, not confirmed, EUR"),
    _euro("wrongly_blocked", "Wrongly blocked, EUR"),
    _euro("reviewed_fraud", "Found in review, EUR"),
    _euro("challenged_fraud", "Challenged fraud, EUR"),
    _euro("missed", "Missed, EUR"),
    _euro("refunded", "Refunded, EUR"),
    Metric(
        "lost_eur",
        "Lost, EUR",
        "SUM(coalesce(missed_eur_cents, 0) + coalesce(wrongly_blocked_eur_cents, 0)) / 100",
        Format.EURO,
    ),
    _ratio("value_recall", "Value detection rate", _CAUGHT, f"{_CAUGHT} + missed_eur_cents"),
)
_RULES: Final = (
    _count("hits", "Hits"),
    _count("hits_known_fraud", "Hits on known fraud"),
    _count("hits_known_genuine", "Hits on known genuine"),
    _count("sole_hit_alerts", "Alerts by it alone"),
    _ratio("precision", "Precision", "hits_decided_fraud", "hits_decided"),
)


def _viewed(table: str, about: str, metrics: tuple[Metric, ...], *columns: Column) -> DataSet:
    return DataSet(table, about, Role.VIEWER, (_DAY, _WEEK, _PERIOD, _SOURCE, *columns), metrics)


def _detailed(table: str, about: str, metrics: tuple[Metric, ...], *columns: Column) -> DataSet:
    own = (*metrics, _count("customers", "Customers a day, added up"))
    return DataSet(table, about, Role.ANALYST, (_DAY, _SOURCE, *columns), own)


BY_DAY: Final = _viewed("report_fraud_by_day", "Purchases, alerts and labels by day", _FRAUD)
MONEY: Final = _viewed("report_money", "Money saved, missed and wrongly blocked", _MONEY)
BY_COUNTRY: Final = _viewed(
    "report_fraud_by_country", "Fraud by the merchant's country", _FRAUD, _COUNTRY
)
BY_MERCHANT: Final = _viewed("report_fraud_by_merchant", "Fraud by merchant", _FRAUD, _MERCHANT)
BY_CATEGORY: Final = _viewed("report_fraud_by_category", "Fraud by category", _FRAUD, _CATEGORY)
RULES: Final = _viewed(
    "report_rule_performance", "Hits and precision of rules", _RULES, Column("rule", "Rule")
)

ALL_MERCHANTS: Final = _detailed(
    lake.OUT_FRAUD_BY_MERCHANT, "Every merchant and day, however few customers", _FRAUD, _MERCHANT
)
ALL_COUNTRIES: Final = _detailed(
    lake.OUT_FRAUD_BY_COUNTRY, "Every country and day, however few customers", _FRAUD, _COUNTRY
)
BY_HOUR: Final = _detailed(
    lake.OUT_FRAUD_BY_HOUR,
    "Fraud by hour of day, UTC",
    _FRAUD,
    Column("hour_of_day", "Hour, UTC", "INT"),
)
CALIBRATION: Final = _detailed(
    lake.OUT_CALIBRATION,
    "Frauds that the model expected, and those that became known",
    (
        _count("scored", "Scored"),
        Metric("expected_fraud", "Expected frauds", "SUM(expected_fraud)", Format.NUMBER),
        _count("known_fraud", "Known frauds"),
        _ratio("expected", "Expected fraud rate", "expected_fraud", "scored"),
        _ratio("known", "Known fraud rate", "known_fraud", "scored"),
    ),
    Column("calibration", "Calibration"),
    Column("probability_from", "Probability from", "DOUBLE"),
)
DRIFT: Final = DataSet(
    "report_drift",
    "Drift of features, scores and ratios against the reference days",
    Role.ANALYST,
    (_DAY, Column("what", "Of"), Column("name", "Name"), Column("judgement", "Judgement")),
    (
        Metric("drift", "PSI or ratio", "MAX(value)", Format.NUMBER),
        Metric("reference", "Reference", "MAX(reference_value)", Format.NUMBER),
        Metric("rows_compared", "Rows", "SUM(rows)"),
    ),
)
PIPELINE: Final = DataSet(
    lake.OUT_PIPELINE_HEALTH,
    "Completeness of each day in the lake",
    Role.ANALYST,
    (_DAY, Column("jobs_done", "Jobs done"), Column("rejected_by_code", "Rejected, by code")),
    (
        _count("transactions_from_log", "From the log"),
        _count("transactions_from_extract", "From the extract alone"),
        _count("verdicts", "Verdicts"),
        _count("missing_verdicts", "Missing verdicts"),
        _count("purchases_rejected", "Rejected purchases"),
        Metric("minutes_behind", "Minutes behind", "MAX(minutes_behind)", Format.NUMBER),
    ),
)
WORKLOAD: Final = DataSet(
    lake.OUT_ANALYST_WORKLOAD,
    "Decisions of each analyst, and how long alerts waited",
    Role.LEAD,
    (Column("known_on", "Day", "DATE"), Column("analyst", "Analyst")),
    (
        _count("decisions", "Decisions"),
        _count("fraud", "Fraud"),
        _count("genuine", "Genuine"),
        _count("unsure", "Unsure"),
        Metric(
            "median_minutes",
            "Median minutes to a decision",
            "AVG(median_minutes_to_decision)",
            Format.NUMBER,
        ),
    ),
)

DATA_SETS: Final = (
    BY_DAY, MONEY, BY_COUNTRY, BY_MERCHANT, BY_CATEGORY, RULES, ALL_MERCHANTS, ALL_COUNTRIES,
    BY_HOUR, CALIBRATION, DRIFT, PIPELINE, WORKLOAD,
)  # fmt: skip
