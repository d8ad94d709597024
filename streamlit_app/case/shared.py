"""The same card, device or network at other purchases: what that amounts to, in words; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.alerts import is_alert
from fraudwatch.application.casework import Shared
from fraudwatch.domain.label import Truth
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Verdict
from streamlit_app.case.feature_words import duration_text
from streamlit_app.case.view import TRUTH_WORDS
from streamlit_app.risk_marks import risk_word
from streamlit_app.view_models import UNKNOWN, amount_text, clock_time, short_token

SHARED_WORDS: Final = {
    Shared.CARD: "card",
    Shared.DEVICE: "device",
    Shared.IP_NETWORK: "IP network",
}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """One purchase that has something in common with the case."""

    who: str
    at: str
    amount: str
    merchant: str
    risk: str
    known: str
    transaction: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of purchases, by transaction id."""

    verdicts: Mapping[str, Verdict]
    truths: Mapping[str, Truth]


def shared_sentence(
    shared: Shared, purchases: Sequence[Transaction], known: Known, limit: int
) -> str:
    """How often, by how many, how many alerts and frauds: "This device: 14 purchases by ..."."""
    times = [one.event_at_ms for one in purchases]
    span = duration_text((max(times) - min(times)) / 1_000) if len(times) > 1 else ""
    names = [one.transaction_id for one in purchases]
    judged = [known.verdicts[name] for name in names if name in known.verdicts]
    alerts = sum(is_alert(verdict) for verdict in judged)
    frauds = sum(known.truths.get(name) is Truth.FRAUD for name in names)
    customers = len({one.customer_token for one in purchases})
    at_least = "the last " if len(purchases) >= limit else ""
    return (
        f"This {SHARED_WORDS[shared]}: {at_least}{_counted(len(purchases), 'purchase')} by "
        f"{_counted(customers, 'customer')}{f' in {span}' if span else ''}, "
        f"{alerts or 'none'} of them {'an alert' if alerts == 1 else 'alerts'}, "
        f"{_counted(frauds, 'known fraud') if frauds else 'no known fraud'}."
    )


def elsewhere(
    purchases: Sequence[Transaction], known: Known, case: Verdict, now_ms: int
) -> list[Elsewhere]:
    """The others that share it: other customers first, then newest first; the case itself not."""
    others = [one for one in purchases if one.transaction_id != case.transaction_id]
    ordered = sorted(
        others, key=lambda one: (one.customer_token == case.customer_token, -one.event_at_ms)
    )
    return [_elsewhere(one, known, case, now_ms) for one in ordered]


def _elsewhere(one: Transaction, known: Known, case: Verdict, now_ms: int) -> Elsewhere:
    verdict = known.verdicts.get(one.transaction_id)
    truth = known.truths.get(one.transaction_id)
    is_same = one.customer_token == case.customer_token
    return Elsewhere(
        who="this customer" if is_same else f"another: {short_token(one.customer_token)}",
        at=clock_time(one.event_at_ms, now_ms),
        amount=amount_text(one.amount_minor, one.currency),
        merchant=one.merchant_id,
        risk=risk_word(verdict.risk if verdict else None),
        known=UNKNOWN if truth is None else TRUTH_WORDS[truth],
        transaction=one.transaction_id,
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
