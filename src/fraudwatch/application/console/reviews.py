"""Reviews that customers ask for: a person decides again what was decided about a purchase.

GDPR Art. 22(3): a customer who is subject to an automated decision may have it reviewed by a
person, express a view, and contest it. So a review has a queue, a target and a result of its own.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.ports import AlertReader
from fraudwatch.domain.messages.audit import (
    AUDIT_SCHEMA,
    LONGEST_REASON,
    SHORTEST_REASON,
    AuditAction,
    AuditRecord,
)
from fraudwatch.domain.messages.verdict import Verdict


class ReviewResult(enum.StrEnum):
    """Result of a review."""

    UPHELD = "upheld"  # the decision about the purchase was right
    REVERSED = "reversed"  # it was wrong; the customer may buy


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Review of one transaction; without a result it is open."""

    transaction_id: str
    customer_token: str
    requested_at_ms: int
    filed_by: str
    request: str
    result: ReviewResult | None = None
    decided_at_ms: int | None = None
    decided_by: str | None = None
    note: str | None = None


class ReviewStore(Protocol):
    """Store of reviews; methods raise ``StoreUnavailable`` without an answer."""

    def open_reviews(self) -> Mapping[str, Review]:
        """Return all open reviews, by transaction id."""

    def decided_reviews(self, transaction_id: str) -> list[Review]:
        """Return the decided reviews of a transaction, latest request first."""

    def file(self, review: Review) -> bool:
        """Add an open review; False, and nothing is changed, if the transaction has one."""

    def decide(self, decided: Review) -> Review:
        """Replace the open review by the decided one; return the one that is stored.

        Of two persons who decide at once, the first's is; a repeat changes nothing.
        """


class ReviewRefused(ValueError):
    """The review was not changed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Reviews:
    """Use cases of reviews; each is audited before it is done."""

    store: ReviewStore
    alerts: AlertReader
    audit_log: Callable[[], AuditLog]
    now_ms: Callable[[], int]

    def file(self, person: Person, verdict: Verdict, request: str) -> Review:
        """File a review that the customer asks for, in the customer's words or in short.

        Raises:
            Forbidden: the person's role does not decide.
            ReviewRefused: the request breaks its bounds, or the transaction has an open review.
            NotDelivered: the audit record may not be written, so nothing was filed.
            StoreUnavailable: nothing is known to be filed.
        """
        person.require(Right.DECIDE)
        review = Review(
            transaction_id=verdict.transaction_id,
            customer_token=verdict.customer_token,
            requested_at_ms=self.now_ms(),
            filed_by=person.login,
            request=_bounded("The request", request),
        )
        if verdict.transaction_id in self.store.open_reviews():
            raise ReviewRefused(_ALREADY)
        self._audit(person, review, AuditAction.REVIEW_REQUESTED, review.request)
        if not self.store.file(review):
            raise ReviewRefused(_ALREADY)
        return review

    def decide(
        self, person: Person, transaction_id: str, result: ReviewResult, note: str
    ) -> Review:
        """Decide an open review with a note.

        Not by an analyst who has labelled the purchase: a review by the same person is none.

        Raises:
            Forbidden: the person's role does not decide.
            ReviewRefused: no review is open, the note breaks its bounds, or the person has
                labelled the purchase.
            NotDelivered: the audit record may not be written, so nothing was decided.
            StoreUnavailable: it may be decided; the page shows it after a reload.
        """
        person.require(Right.DECIDE)
        note = _bounded("The note", note)
        review = self.store.open_reviews().get(transaction_id)
        if review is None:
            raise ReviewRefused("No review of this purchase is open, so nothing was changed.")
        if person.login in {label.by for label in self.alerts.labels_of(transaction_id)}:
            raise ReviewRefused(
                "You have labelled this purchase, so another person must review it. Nothing was "
                "changed."
            )
        decided = replace(
            review, result=result, decided_at_ms=self.now_ms(), decided_by=person.login, note=note
        )
        self._audit(
            person, decided, AuditAction.REVIEW_DECIDED, f"{result}: {note}"[:LONGEST_REASON]
        )
        stored = self.store.decide(decided)
        if stored != decided:
            raise ReviewRefused(
                f"{stored.decided_by} has decided this review meanwhile, so nothing was changed."
            )
        return stored

    def _audit(self, person: Person, review: Review, action: AuditAction, reason: str) -> None:
        record = AuditRecord(
            schema=AUDIT_SCHEMA,
            record_id=uuid.uuid4().hex,
            at_ms=review.decided_at_ms or review.requested_at_ms,
            deed=action,
            by=person.login,
            reason=reason,
            transaction_id=review.transaction_id,
            customer_token=review.customer_token,
        )
        self.audit_log().write(record)


_ALREADY = "A review of this purchase is open already, so nothing was changed."


def longest_waiting_first(reviews: Collection[Review]) -> list[Review]:
    """Sort reviews by the time of their request, ties by transaction id."""
    return sorted(reviews, key=lambda one: (one.requested_at_ms, one.transaction_id))


def _bounded(what: str, text: str) -> str:
    stripped = text.strip()
    if not SHORTEST_REASON <= len(stripped) <= LONGEST_REASON:
        raise ReviewRefused(
            f"{what} must have {SHORTEST_REASON} to {LONGEST_REASON} characters, so nothing was "
            "changed."
        )
    return stripped
