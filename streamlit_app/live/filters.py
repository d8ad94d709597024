"""Which alerts of the window an analyst asks for; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from fraudwatch.application.alerts import Alert
from fraudwatch.domain.verdict import Risk
from streamlit_app.live.status import Status
from streamlit_app.view_models import UNKNOWN

# As they stand in the address, and as they are told.
PERIODS: Final = {
    "15m": ("Last 15 min", timedelta(minutes=15)),
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
}
USUAL_PERIOD: Final = "24h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked for; an empty choice leaves nothing out."""

    risks: frozenset[Risk] = frozenset()
    rules: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    merchants: frozenset[str] = frozenset()
    least_eur_cents: int = 0
    period: str = USUAL_PERIOD
    customer: str = ""
    is_open_only: bool = False

    @property
    def period_ms(self) -> int:
        """How far back is asked for."""
        return PERIODS[self.period][1] // timedelta(milliseconds=1)

    def of_any_time(self) -> Filters:
        """The same for figures, which have their own time and count what is decided as well."""
        return replace(self, period="7d", is_open_only=False)

    def chosen(
        self, alerts: Iterable[Alert], now_ms: int, status: Status, login: str
    ) -> list[Alert]:
        """The alerts asked for, in the order given."""
        first_ms, asks = now_ms - self.period_ms, self._asks()
        if self.is_open_only:
            asks.append(lambda alert: status.is_open_for(login, alert))
        return [
            alert
            for alert in alerts
            if alert.decided_at_ms >= first_ms and all(ask(alert) for ask in asks)
        ]

    def _asks(self) -> list[Callable[[Alert], bool]]:
        asks: list[tuple[object, Callable[[Alert], bool]]] = [
            (self.risks, lambda alert: alert.risk in self.risks),
            (self.countries, lambda alert: country_of(alert) in self.countries),
            (self.merchants, lambda alert: alert.merchant_id in self.merchants),
            (self.least_eur_cents, lambda alert: alert.amount_eur_cents >= self.least_eur_cents),
            (self.customer, lambda alert: is_of(self.customer, alert.customer_token)),
            (self.rules, lambda alert: any(hit.rule in self.rules for hit in alert.reasons)),
        ]
        return [ask for wanted, ask in asks if wanted]


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen from: what some alert has."""

    rules: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    merchants: tuple[str, ...] = ()


def options_of(alerts: Iterable[Alert]) -> Options:
    """All rules, countries and merchants of these alerts, by name."""
    rules: set[str] = set()
    countries: set[str] = set()
    merchants: set[str] = set()
    for alert in alerts:
        rules.update(reason.rule for reason in alert.reasons)
        countries.add(country_of(alert))
        merchants.add(alert.merchant_id)
    return Options(*(tuple(sorted(names)) for names in (rules, countries, merchants)))


def country_of(alert: Alert) -> str:
    """The seller's country, or the dash that the list shows for none."""
    return alert.merchant_country or UNKNOWN


def is_of(asked: str, token: str) -> bool:
    """Whether a customer is meant by a whole token, or by how it begins with or without its key."""
    return token.startswith(asked) or token.rpartition("_")[2].startswith(asked)
