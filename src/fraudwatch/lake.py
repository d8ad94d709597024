"""Names of the lake's tables and folders, shared by all jobs; ``hive/`` describes each table.

Three layers: ``raw_`` as received, byte by byte; ``core_`` validated, one row a thing; ``out_``
marts for readers. A day is a UTC day, of the event in ``core_`` and ``out_``.
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import Final

DATABASE: Final = "fraudwatch"

# Below the address of the file system (LakeSettings.at).
WAREHOUSE_FOLDER: Final = "/fraudwatch/warehouse"
EXTRACT_FOLDER: Final = "/fraudwatch/raw/extract"
CHECKPOINT_FOLDER: Final = "/fraudwatch/checkpoints"

RAW_TRANSACTION_TOPIC: Final = "raw_transaction_topic"
RAW_FRAUD_TOPIC: Final = "raw_fraud_topic"
RAW_FEATURE_TOPIC: Final = "raw_feature_topic"
RAW_LABELS_TOPIC: Final = "raw_labels_topic"
RAW_AUDIT_TOPIC: Final = "raw_audit_topic"
RAW_DEAD_LETTER_TOPIC: Final = "raw_dead_letter_topic"

CORE_TRANSACTIONS: Final = "core_transactions"
CORE_REJECTED_PURCHASES: Final = "core_rejected_purchases"
CORE_VERDICTS: Final = "core_verdicts"
CORE_LABELS: Final = "core_labels"
CORE_REFUNDS: Final = "core_refunds"
CORE_RISK_VIEWS: Final = "core_risk_views"
CORE_JOB_OUTCOMES: Final = "core_job_outcomes"
CORE_FEATURES: Final = "core_features"
CORE_CUSTOMER_STATES: Final = "core_customer_states"
CORE_RECONCILIATION: Final = "core_reconciliation"
CORE_DRIFT: Final = "core_drift"

OUT_FRAUD_BY_DAY: Final = "out_fraud_by_day"
OUT_FRAUD_BY_COUNTRY: Final = "out_fraud_by_country"
OUT_FRAUD_BY_MERCHANT: Final = "out_fraud_by_merchant"
OUT_FRAUD_BY_CATEGORY: Final = "out_fraud_by_category"
OUT_FRAUD_BY_HOUR: Final = "out_fraud_by_hour"
OUT_RULE_PERFORMANCE: Final = "out_rule_performance"
OUT_ANALYST_WORKLOAD: Final = "out_analyst_workload"
OUT_MONEY: Final = "out_money"
OUT_PIPELINE_HEALTH: Final = "out_pipeline_health"
OUT_CALIBRATION: Final = "out_calibration"

# Every mart and its day column.
REPORT_DAYS: Final = MappingProxyType(
    {
        OUT_FRAUD_BY_DAY: "event_on",
        OUT_FRAUD_BY_COUNTRY: "event_on",
        OUT_FRAUD_BY_MERCHANT: "event_on",
        OUT_FRAUD_BY_CATEGORY: "event_on",
        OUT_FRAUD_BY_HOUR: "event_on",
        OUT_RULE_PERFORMANCE: "event_on",
        OUT_ANALYST_WORKLOAD: "known_on",
        OUT_MONEY: "event_on",
        OUT_PIPELINE_HEALTH: "event_on",
        OUT_CALIBRATION: "event_on",
    }
)


def extract_folder(day: date) -> str:
    """Return the folder of a closed day's extract, complete or absent."""
    return f"{EXTRACT_FOLDER}/day={day.isoformat()}"


def extract_work_folder(day: date) -> str:
    """Return the folder in which a day's extract is built; engines ignore names with a dot."""
    return f"{EXTRACT_FOLDER}/.work/day={day.isoformat()}"
