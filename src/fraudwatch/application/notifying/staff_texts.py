"""Write messages to staff: what happened, what was done already, a link to each case."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.money import amount_text
from fraudwatch.domain.notifications.staff_alert import StaffAlert
from fraudwatch.domain.notifications.staff_policy import MessageKind, PlannedMessage
from fraudwatch.domain.notifications.text_figures import moment_text, short_token

# What was done already, by outcome.
_DONE: Final = {
    Outcome.APPROVE: "approved",
    Outcome.REVIEW: "in review",
    Outcome.CHALLENGE: "the shop asked for more",
    Outcome.DECLINE: "declined",
}
_MAX_RULES: Final = 4
_SEVERITY: Final = tuple(Risk)


@dataclass(frozen=True, slots=True)
class StaffTexts:
    """Texts with links into the console."""

    console_url: str
    max_lines: int = 50

    def subject(self, planned: PlannedMessage) -> str:
        """Write the subject: one alert in full, else their number."""
        alerts = planned.alerts
        if planned.kind is MessageKind.DIGEST:
            return f"[fraudwatch] Digest: {_counted(len(alerts), 'alert')}"
        worst = _worst(alerts)
        more = f", {len(alerts) - 1} more of this customer" if len(alerts) > 1 else ""
        amount = amount_text(worst.amount_minor, worst.currency)
        return f"[fraudwatch] CRITICAL: {amount}, {_DONE[worst.outcome]}{more}"

    def text(self, planned: PlannedMessage) -> str:
        """Write the text: a paragraph for each customer, the riskiest first."""
        groups = _by_customer(planned.alerts)
        lines = [self._customer(group) for group in groups[: self.max_lines]]
        if (left := len(groups) - self.max_lines) > 0:
            lines.append(f"And {_counted(left, 'customer')} more: {self.console_url}")
        counts = ", ".join(
            f"{number} {risk}"
            for risk in reversed(_SEVERITY)
            if (number := sum(alert.risk is risk for alert in planned.alerts))
        )
        head = f"{_counted(len(planned.alerts), 'alert')} ({counts})."
        return "\n\n".join([head, *lines, "Decide them in the console, not by this message."])

    def _customer(self, alerts: list[StaffAlert]) -> str:
        worst = _worst(alerts)
        amount = amount_text(worst.amount_minor, worst.currency)
        moment, done = moment_text(worst.event_at_ms), _DONE[worst.outcome]
        lines = [
            f"{worst.risk}: {amount} at {moment}, {done}",
            f"Customer {short_token(worst.customer_token)}; reasons: {_rules_text(worst)}",
            self.case_link(worst.transaction_id),
        ]
        if len(alerts) > 1:
            euro = sum(alert.amount_eur_cents for alert in alerts) / 100
            lines.insert(2, f"{len(alerts)} alerts of this customer, {euro:,.2f} EUR in total")
        return "\n".join(lines)

    def case_link(self, transaction_id: str) -> str:
        """Return the address of a case in the console."""
        return f"{self.console_url}/case?{urlencode({'transaction': transaction_id})}"


def _rules_text(alert: StaffAlert) -> str:
    shown = ", ".join(alert.rules[:_MAX_RULES]) or "none"
    left = len(alert.rules) - _MAX_RULES
    return f"{shown}, {left} more" if left > 0 else shown


def _worst(alerts: tuple[StaffAlert, ...] | list[StaffAlert]) -> StaffAlert:
    return max(alerts, key=_urgency)


def _urgency(alert: StaffAlert) -> tuple[int, int, int]:
    return _SEVERITY.index(alert.risk), alert.amount_eur_cents, alert.event_at_ms


def _by_customer(alerts: tuple[StaffAlert, ...]) -> list[list[StaffAlert]]:
    groups: dict[str, list[StaffAlert]] = defaultdict(list)
    for alert in alerts:
        groups[alert.customer_token].append(alert)
    return sorted(groups.values(), key=lambda group: _urgency(_worst(group)), reverse=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
