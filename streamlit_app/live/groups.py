"""Bursts of one customer as one line; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.alerts import ALERT_RISKS, Alert
from fraudwatch.domain.verdict import Reason, Risk

# A burst ends when its customer was quiet for this long.
GAP_MS: Final = 10 * 60_000


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts of one customer, newest first: what a line of the list stands for."""

    alerts: tuple[Alert, ...]

    @property
    def newest(self) -> Alert:
        """The alert that gives the line its time and place."""
        return self.alerts[0]

    @property
    def risk(self) -> Risk:
        """The gravest of all."""
        return min((alert.risk for alert in self.alerts), key=_GRAVITY.__getitem__)

    @property
    def amount_eur_cents(self) -> int:
        """The sum, in the one currency that all have."""
        return sum(alert.amount_eur_cents for alert in self.alerts)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Each rule once, as its newest alert says it, most points first."""
        by_rule: dict[str, Reason] = {}
        for alert in self.alerts:
            for reason in alert.reasons:
                by_rule.setdefault(reason.rule, reason)
        return tuple(sorted(by_rule.values(), key=lambda reason: -reason.points))


def grouped(alerts: Iterable[Alert]) -> list[Group]:
    """Put an alert to its customer's next newer one if that came within ten minutes.

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
    """Each alert a line of its own."""
    return [Group((alert,)) for alert in alerts]


_GRAVITY = {risk: place for place, risk in enumerate((*ALERT_RISKS, Risk.LOW))}
