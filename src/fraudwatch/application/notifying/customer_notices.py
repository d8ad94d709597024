"""Notify customers at the edge: audit first, then open the sealed fields, then send once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol

from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.console.casework import Erased
from fraudwatch.application.console.reveal import AlteredSealedFields
from fraudwatch.application.notifying.notice_rate_limit import NoticeRateLimit
from fraudwatch.application.notifying.notice_texts import NoticeFacts, NoticeText, NoticeTexts
from fraudwatch.application.ports import Vault
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, AuditAction, AuditRecord
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Fact, problems
from fraudwatch.domain.messages.purchase import (
    EARLIEST_EVENT_MS,
    IDENTIFIER,
    LATEST_EVENT_MS,
    LONGEST_TRANSACTION_ID,
)
from fraudwatch.domain.messages.transaction import TOKEN_PATTERN
from fraudwatch.domain.notifications.customer_notice import NoticeState, NoticeTemplate

__all__ = ["AddressRefused", "CustomerNotices", "NoticeText", "NoticeUncertain", "NoticeUnsent"]

ACTOR: Final = "notifier"
# One plain address or E.164 number: anything else could add recipients or headers.
_MAIL_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
_TELEPHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")


class NoAddress(ValueError):
    """The purchase has no address that a notice could be sent to."""


class AddressRefused(RuntimeError):
    """The server or gateway refuses this address or text for good; nothing was sent."""


class NoticeUnsent(RuntimeError):
    """It is certain that nothing was sent; the same notice may be sent later."""


class NoticeUncertain(RuntimeError):
    """The notice may have been sent; it must not be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRequest:
    """Request to notify the customer of one purchase."""

    notice_id: Annotated[str, Fact("Stable id of the notice", pattern=r"[0-9a-f-]{36}")]
    transaction_id: Annotated[
        str, Fact("The purchase", pattern=IDENTIFIER, max_length=LONGEST_TRANSACTION_ID)
    ]
    customer_token: Annotated[str, Fact("Token of the customer", pattern=TOKEN_PATTERN)]
    sealed: Annotated[str, Fact("The sealed fields of the purchase", max_length=8_192)]
    template: Annotated[NoticeTemplate, Fact("Template of the notice")]
    amount_minor: Annotated[int, Fact("Amount as charged", minimum=0, maximum=10**13)]
    currency: Annotated[str, Fact("ISO 4217 code", pattern=r"[A-Z]{3}")]
    merchant_id: Annotated[str, Fact("Merchant", max_length=128)]
    event_at_ms: Annotated[
        int, Fact("When it happened", minimum=EARLIEST_EVENT_MS, maximum=LATEST_EVENT_MS)
    ]


class NoticeSender(Protocol):
    """One way to customers."""

    def send(self, address: str, text: NoticeText, notice_id: str) -> None:
        """Send a notice; no error contains the address.

        Raises:
            AddressRefused: never to this address.
            NoticeUnsent: not now; nothing was sent.
            NoticeUncertain: it may have been sent.
        """


@dataclass(frozen=True, slots=True)
class CustomerNotices:
    """Use case of the edge; mail comes first, a text message where there is no mail address."""

    vault: Vault
    log: AuditLog
    texts: NoticeTexts
    mail: NoticeSender
    sms: NoticeSender | None
    now_ms: Callable[[], int]
    rate_limit: NoticeRateLimit = field(default_factory=NoticeRateLimit)

    def notify(self, request: NoticeRequest) -> NoticeState:
        """Send one notice and return how; the caller never learns the address.

        Raises:
            Refused: a field breaks its bounds.
            TooManyNotices, NoticesPaused: an hourly limit is reached.
            NotDelivered: the log did not acknowledge, so nothing was opened.
            Erased, AlteredSealedFields: the fields do not open.
            NoAddress, AddressRefused: there is no way to this customer.
            NoticeUnsent, NoticeUncertain: see there.
        """
        if broken := problems(request):
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        now_ms = self.now_ms()
        self.rate_limit.consume(request.customer_token, now_ms)
        is_counted = False
        try:
            self.log.write(_record(request, now_ms))
            state = self._send(request, self._opened(request))
            is_counted = True
        except NoticeUncertain:
            is_counted = True
            raise
        finally:
            if not is_counted:
                self.rate_limit.release(request.customer_token, now_ms)
        return state

    def _opened(self, request: NoticeRequest) -> Mapping[str, str]:
        try:
            return self.vault.open(request.customer_token, request.transaction_id, request.sealed)
        except KeyError:
            raise Erased("the customer's key was deleted, so there is no address") from None
        except ValueError:
            raise AlteredSealedFields(
                "the sealed fields do not open: they were altered, or belong to another purchase"
            ) from None

    def _send(self, request: NoticeRequest, personal: Mapping[str, str]) -> NoticeState:
        facts = NoticeFacts(
            transaction_id=request.transaction_id,
            amount_minor=request.amount_minor,
            currency=request.currency,
            merchant_id=request.merchant_id,
            event_at_ms=request.event_at_ms,
        )
        if _MAIL_ADDRESS.fullmatch(address := personal.get("email", "")):
            self.mail.send(address, self.texts.mail(request.template, facts), request.notice_id)
            return NoticeState.MAILED
        number = personal.get("phone", "")
        if self.sms is not None and _TELEPHONE.fullmatch(number):
            text = self.texts.text_message(request.template, facts)
            self.sms.send(number, text, request.notice_id)
            return NoticeState.TEXTED
        raise NoAddress("the purchase has no mail address and no telephone that can be used")


def _record(request: NoticeRequest, now_ms: int) -> AuditRecord:
    return AuditRecord(
        schema=AUDIT_SCHEMA,
        record_id=uuid.uuid4().hex,
        at_ms=now_ms,
        deed=AuditAction.NOTIFIED,
        by=ACTOR,
        reason=f"notice to the customer: {request.template}",
        transaction_id=request.transaction_id,
        customer_token=request.customer_token,
    )
