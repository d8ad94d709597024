"""Map alerts to rows of the tables that answer one question each, and back, without the driver.

A row holds the alert as one text (see docs/adr/0008), at its customer, its merchant and each rule
that gave a reason. Nothing is written here for an approved purchase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.store.rows import ALERTS, Table, month_of
from fraudwatch.application.console.alerts import Alert
from fraudwatch.domain.instants import day_of


@dataclass(frozen=True, slots=True)
class RuleHit:
    """Alert at one of the rules that gave a reason for it."""

    rule: str
    decided_at_ms: int
    transaction_id: str
    alert: Alert


def _whole(alert: Alert) -> str:
    return encode(alert).decode()


BY_CUSTOMER = Table(
    name="alert_by_customer",
    message=Alert,
    partition=("customer_token", "month"),
    written_at="decided_at_ms",
    plain=("customer_token", "decided_at_ms", "transaction_id"),
    computed={"month": lambda alert: month_of(alert.decided_at_ms), "alert": _whole},
)
BY_MERCHANT = Table(
    name="alert_by_merchant",
    message=Alert,
    partition=("merchant_id", "day"),
    written_at="decided_at_ms",
    plain=("merchant_id", "decided_at_ms", "transaction_id"),
    computed={"day": lambda alert: day_of(alert.decided_at_ms), "alert": _whole},
)
BY_RULE = Table(
    name="alert_by_rule",
    message=RuleHit,
    partition=("rule", "day"),
    written_at="decided_at_ms",
    plain=("rule", "decided_at_ms", "transaction_id"),
    computed={
        "day": lambda hit: day_of(hit.decided_at_ms),
        "alert": lambda hit: _whole(hit.alert),
    },
)
ALERT_TABLES = (BY_CUSTOMER, BY_MERCHANT, BY_RULE)


def alert_rows(alert: Alert) -> Iterator[tuple[Table, Any]]:
    """Yield every table that an alert is written to, with the content of its row there."""
    yield ALERTS, alert
    yield BY_CUSTOMER, alert
    yield BY_MERCHANT, alert
    # A rule that gave two reasons gets one row.
    for rule in dict.fromkeys(reason.rule for reason in alert.reasons):
        yield BY_RULE, RuleHit(rule, alert.decided_at_ms, alert.transaction_id, alert)


def whole_alert_from(row: Mapping[str, Any]) -> Alert:
    """Decode a row of one of :data:`ALERT_TABLES`."""
    return decode(Alert, row["alert"].encode())
