"""Case links: other purchases with the same card, device or IP network, as texts; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.console.alerts import is_alert
from fraudwatch.application.console.casework import Shared
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.money import amount_text
from streamlit_app.case.feature_words import duration_text
from streamlit_app.risk_marks import risk_word
from streamlit_app.view_models import LABEL_WORDS, UNKNOWN, clock_time, short_token

LINK_WORDS: Final = {
    Shared.CARD: "card",
    Shared.DEVICE: "device",
    Shared.IP_NETWORK: "IP network",
}


@dataclass(frozen=True, slots=True)
class CaseLink:
    """Purchase that shares a card, device or network with the case."""

    customer: str
    at: str
    amount: str
    merchant: str
    risk: str
    label: str
    transaction: str


@dataclass(frozen=True, slots=True)
class VerdictsAndLabels:
    """Verdicts and labels of purchases, by transaction id."""

    verdicts: Mapping[str, Verdict]
    known_labels: Mapping[str, LabelValue]


def link_summary(
    shared: Shared, purchases: Sequence[Transaction], known: VerdictsAndLabels, limit: int
) -> str:
    """Count purchases, customers, alerts and frauds: "This device: 14 purchases by ..."."""
    times = [one.event_at_ms for one in purchases]
    span = duration_text((max(times) - min(times)) / 1_000) if len(times) > 1 else ""
    names = [one.transaction_id for one in purchases]
    scored = [known.verdicts[name] for name in names if name in known.verdicts]
    alerts = sum(is_alert(verdict) for verdict in scored)
    frauds = sum(known.known_labels.get(name) is LabelValue.FRAUD for name in names)
    customers = len({one.customer_token for one in purchases})
    at_least = "the last " if len(purchases) >= limit else ""
    return (
        f"This {LINK_WORDS[shared]}: {at_least}{_counted(len(purchases), 'purchase')} by "
        f"{_counted(customers, 'customer')}{f' in {span}' if span else ''}, "
        f"{alerts or 'none'} of them {'an alert' if alerts == 1 else 'alerts'}, "
        f"{_counted(frauds, 'known fraud') if frauds else 'no known fraud'}."
    )


def case_links(
    purchases: Sequence[Transaction], known: VerdictsAndLabels, case: Verdict, now_ms: int
) -> list[CaseLink]:
    """List the linked purchases without the case itself: other customers first, newest first."""
    others = [one for one in purchases if one.transaction_id != case.transaction_id]
    ordered = sorted(
        others, key=lambda one: (one.customer_token == case.customer_token, -one.event_at_ms)
    )
    return [_case_link(one, known, case, now_ms) for one in ordered]


def _case_link(one: Transaction, known: VerdictsAndLabels, case: Verdict, now_ms: int) -> CaseLink:
    verdict = known.verdicts.get(one.transaction_id)
    truth = known.known_labels.get(one.transaction_id)
    is_same_customer = one.customer_token == case.customer_token
    return CaseLink(
        customer="this customer"
        if is_same_customer
        else f"another: {short_token(one.customer_token)}",
        at=clock_time(one.event_at_ms, now_ms),
        amount=amount_text(one.amount_minor, one.currency),
        merchant=one.merchant_id,
        risk=risk_word(verdict.risk if verdict else None),
        label=UNKNOWN if truth is None else LABEL_WORDS[truth],
        transaction=one.transaction_id,
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
