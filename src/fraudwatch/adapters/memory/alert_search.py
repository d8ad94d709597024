"""Memory twin of the search for alerts; see :mod:`fraudwatch.application.alert_search`."""

from __future__ import annotations

from dataclasses import replace

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.alert_search import AlertQuery, Position, Scan
from fraudwatch.application.console.alerts import ALERT_RISKS, in_order


class MemoryAlertSearch:
    """``AlertScanner`` over the alerts of a memory store."""

    def __init__(self, store: MemoryVerdictStore) -> None:
        self._store = store

    def scan(self, query: AlertQuery, after: Position, limit: int) -> Scan:
        narrowest = _narrowest(query)
        found = [
            alert
            for alert in in_order(self._store.alerts())
            if after.precedes(alert) and narrowest.matches(alert)
        ]
        if len(found) <= limit:
            return Scan(found, None)
        last = found[limit - 1]
        return Scan(found[:limit], Position(last.decided_at_ms, last.transaction_id))


def _narrowest(query: AlertQuery) -> AlertQuery:
    """Return the query with the one filter that the tables of the engine answer by their key."""
    if query.customer_token is not None:
        return replace(query, merchant_id=None, rule=None, risks=ALERT_RISKS, sources=())
    if query.merchant_id is not None:
        return replace(query, rule=None, risks=ALERT_RISKS, sources=())
    if query.rule is not None:
        return replace(query, risks=ALERT_RISKS, sources=())
    return replace(query, sources=())
