"""Group a customer's bursts of alerts into one line; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.console.alerts import ALERT_RISKS, Alert
from fraudwatch.domain.messages.verdict import Reason, Risk

# A burst ends after this long without an alert of its customer.
GAP_MS: Final = 10 * 60_000


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts of one customer, newest first: one line of the list."""

    alerts: tuple[Alert, ...]

    @property
    def newest(self) -> Alert:
        """Newest alert, which gives the line its time and place."""
        return self.alerts[0]

    @property
    def risk(self) -> Risk:
        """Highest risk level of the alerts."""
        return min((alert.risk for alert in self.alerts), key=_RISK_ORDER.__getitem__)

    @property
    def amount_eur_cents(self) -> int:
        """Total amount, in euro cents."""
        return sum(alert.amount_eur_cents for alert in self.alerts)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Reasons of all alerts, each rule once by its newest alert, most points first."""
        by_rule: dict[str, Reason] = {}
        for alert in self.alerts:
            for reason in alert.reasons:
                by_rule.setdefault(reason.rule, reason)
        return tuple(sorted(by_rule.values(), key=lambda reason: -reason.points))


def grouped(alerts: Iterable[Alert]) -> list[Group]:
    """Group alerts of one customer that are at most ten minutes apart.

    Args:
        alerts: newest first.

    Returns:
        Groups, the one with the newest alert first.
    """
    bursts: list[list[Alert]] = []
    of_customer: dict[str, list[Alert]] = {}
    for alert in alerts:
        burst = of_customer.get(alert.customer_token)
        if burst is not None and burst[-1].decided_at_ms - alert.decided_at_ms <= GAP_MS:
            burst.append(alert)
        else:
            bursts.append([alert])
            of_customer[alert.customer_token] = bursts[-1]
    return [Group(tuple(burst)) for burst in bursts]


def single(alerts: Iterable[Alert]) -> list[Group]:
    """Make a group of each alert."""
    return [Group((alert,)) for alert in alerts]


_RISK_ORDER = {risk: place for place, risk in enumerate((*ALERT_RISKS, Risk.LOW))}
