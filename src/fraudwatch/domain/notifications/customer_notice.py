"""Define the customer notice: which verdicts a customer is notified of, and what came of it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome, Verdict


class NoticeTemplate(enum.StrEnum):
    """Template of a notice; its texts are in ``contracts/notices``."""

    DECLINED = "declined"
    REVIEWED = "reviewed"


class NoticeState(enum.StrEnum):
    """State of a notice. Only ``WAITING`` is ever sent: from ``ASKED`` on it is never repeated."""

    WAITING = "waiting"
    ASKED = "asked"  # recorded before the edge is asked
    MAILED = "mailed"
    TEXTED = "texted"
    NO_ADDRESS = "no_address"
    ERASED = "erased"
    LIMITED = "limited"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"  # it may have been sent
    EXPIRED = "expired"


_TEMPLATE_OF: Final[Mapping[Outcome, NoticeTemplate]] = {
    Outcome.DECLINE: NoticeTemplate.DECLINED,
    Outcome.REVIEW: NoticeTemplate.REVIEWED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerNotice:
    """One notice that a customer is to get; nothing in it identifies a person."""

    verdict_id: str
    transaction_id: str
    customer_token: str
    template: NoticeTemplate
    event_at_ms: int


def customer_notice_of(
    verdict: Verdict, events: Collection[NoticeTemplate]
) -> CustomerNotice | None:
    """Return the notice of a verdict, or None.

    A payment that failed anyway gets none: the customer saw it fail, and card testing would send
    many to the owner of the card.
    """
    template = _TEMPLATE_OF.get(verdict.outcome)
    if template is None or template not in events:
        return None
    if verdict.payment_status is not PaymentStatus.APPROVED:
        return None
    return CustomerNotice(
        verdict_id=verdict.verdict_id,
        transaction_id=verdict.transaction_id,
        customer_token=verdict.customer_token,
        template=template,
        event_at_ms=verdict.event_at_ms,
    )
