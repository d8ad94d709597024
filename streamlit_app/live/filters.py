"""Filters of the live list: risk, rule, country, merchant, amount, time, customer; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from fraudwatch.application.console.alerts import Alert
from fraudwatch.domain.messages.verdict import Risk
from streamlit_app.live.status import Status
from streamlit_app.view_models import UNKNOWN

# By query parameter: label and length.
PERIODS: Final = {
    "15m": ("Last 15 min", timedelta(minutes=15)),
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
}
DEFAULT_PERIOD: Final = "24h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Conditions that an alert must meet; an empty one excludes nothing."""

    risks: frozenset[Risk] = frozenset()
    rules: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    merchants: frozenset[str] = frozenset()
    min_eur_cents: int = 0
    period: str = DEFAULT_PERIOD
    customer: str = ""
    is_open_only: bool = False

    @property
    def period_ms(self) -> int:
        """Length of the period."""
        return PERIODS[self.period][1] // timedelta(milliseconds=1)

    def of_any_time(self) -> Filters:
        """Filters for the figures, which have their own time spans and include decided alerts."""
        return replace(self, period="7d", is_open_only=False)

    def chosen(
        self, alerts: Iterable[Alert], now_ms: int, status: Status, login: str
    ) -> list[Alert]:
        """Return the matching alerts, in the order given."""
        first_ms, conditions = now_ms - self.period_ms, self._conditions()
        if self.is_open_only:
            conditions.append(lambda alert: status.is_open_for(login, alert))
        return [
            alert
            for alert in alerts
            if alert.decided_at_ms >= first_ms and all(condition(alert) for condition in conditions)
        ]

    def _conditions(self) -> list[Callable[[Alert], bool]]:
        conditions: list[tuple[object, Callable[[Alert], bool]]] = [
            (self.risks, lambda alert: alert.risk in self.risks),
            (self.countries, lambda alert: country_of(alert) in self.countries),
            (self.merchants, lambda alert: alert.merchant_id in self.merchants),
            (self.min_eur_cents, lambda alert: alert.amount_eur_cents >= self.min_eur_cents),
            (self.customer, lambda alert: matches_customer(self.customer, alert.customer_token)),
            (self.rules, lambda alert: any(hit.rule in self.rules for hit in alert.reasons)),
        ]
        return [condition for wanted, condition in conditions if wanted]


@dataclass(frozen=True, slots=True)
class Options:
    """Values to choose from: those that occur in the alerts."""

    rules: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    merchants: tuple[str, ...] = ()


def options_of(alerts: Iterable[Alert]) -> Options:
    """Collect the rules, countries and merchants of these alerts, sorted."""
    rules: set[str] = set()
    countries: set[str] = set()
    merchants: set[str] = set()
    for alert in alerts:
        rules.update(reason.rule for reason in alert.reasons)
        countries.add(country_of(alert))
        merchants.add(alert.merchant_id)
    return Options(*(tuple(sorted(names)) for names in (rules, countries, merchants)))


def country_of(alert: Alert) -> str:
    """Merchant country, or the dash that the list shows for none."""
    return alert.merchant_country or UNKNOWN


def matches_customer(prefix: str, token: str) -> bool:
    """Match a customer token by its beginning, with or without the key id."""
    return token.startswith(prefix) or token.rpartition("_")[2].startswith(prefix)
