"""Search alerts by customer, merchant, rule, risk and time: newest first, page by page.

Each page costs a bounded number of queries, so that no question can occupy the store: a page may be
shorter than its limit, even empty, and still have a next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from fraudwatch.application.console.alerts import ALERT_RISKS, Alert
from fraudwatch.domain.messages.purchase import transaction_id_of
from fraudwatch.domain.messages.verdict import Risk

MAX_SCANS: Final = 4
_LARGEST_SCAN: Final = 1_000
# After a scan that left the page unfilled, because other filters dropped its alerts.
_GROWTH: Final = 4


class Position(NamedTuple):
    """Position in a list of alerts that is sorted latest first.

    With a transaction id: after that alert. Without one: before that instant.
    """

    decided_at_ms: int
    transaction_id: str = ""

    def precedes(self, alert: Alert) -> bool:
        """Return whether the alert comes after this position."""
        if alert.decided_at_ms == self.decided_at_ms:
            return bool(self.transaction_id) and alert.transaction_id > self.transaction_id
        return alert.decided_at_ms < self.decided_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuery:
    """Filters of a search; all of them must match. Empty sources: every source."""

    since_ms: int
    until_ms: int
    customer_token: str | None = None
    merchant_id: str | None = None
    rule: str | None = None
    risks: tuple[Risk, ...] = ALERT_RISKS
    sources: tuple[str, ...] = ()

    def matches(self, alert: Alert) -> bool:
        """Return whether an alert passes every filter."""
        return (
            self.since_ms <= alert.decided_at_ms < self.until_ms
            and self.customer_token in (None, alert.customer_token)
            and self.merchant_id in (None, alert.merchant_id)
            and (self.rule is None or any(self.rule == one.rule for one in alert.reasons))
            and alert.risk in self.risks
            and is_of_sources(alert.transaction_id, self.sources)
        )


class Scan(NamedTuple):
    """Alerts of one scan, latest first, and where the next one continues; None: at the end."""

    alerts: list[Alert]
    resume: Position | None


class AlertScanner(Protocol):
    """Reader of alerts by the narrowest table that a query has."""

    def scan(self, query: AlertQuery, after: Position, limit: int) -> Scan:
        """Read up to ``limit`` alerts after a position by a bounded number of queries.

        They match the query's customer, else its merchant, else its rule, else its risks, and its
        time; not necessarily its other filters.

        Raises:
            StoreUnavailable: the store does not answer.
        """


class AlertPage(NamedTuple):
    """One page of alerts, latest first, and the position of the next page; None: the last page."""

    alerts: list[Alert]
    resume: Position | None


def search(
    scanner: AlertScanner, query: AlertQuery, after: Position | None, *, limit: int
) -> AlertPage:
    """Return the next page of a query.

    A transaction that was scored twice is listed once a verdict.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    position = after or Position(query.until_ms)
    found: list[Alert] = []
    for scan_number in range(MAX_SCANS):
        rows = min(limit * _GROWTH**scan_number, _LARGEST_SCAN)
        alerts, resume = scanner.scan(query, position, rows)
        for alert in filter(query.matches, alerts):
            found.append(alert)
            if len(found) == limit:
                return AlertPage(found, Position(alert.decided_at_ms, alert.transaction_id))
        if resume is None:
            return AlertPage(found, None)
        position = resume
    return AlertPage(found, position)


def is_of_sources(transaction_id: str, sources: tuple[str, ...]) -> bool:
    """Return whether a transaction is of one of the sources; of any, if there are none."""
    prefixes = tuple(transaction_id_of(source, "") for source in sources)
    return not sources or transaction_id.startswith(prefixes)
