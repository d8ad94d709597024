"""Decide a case: publish an analyst's disposition as a label on ``labels_topic``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.casework import Claims
from fraudwatch.application.ports import Publisher
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source


class ClaimedByAnother(RuntimeError):
    """Another analyst has claimed the case, so nothing was decided."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(f"{holder} works on this case now: nothing was decided")


@dataclass(frozen=True, slots=True)
class Decisions:
    """Publishes decisions of analysts to ``labels_topic``."""

    topic: Publisher
    claims: Claims
    encode: Callable[[Any], bytes]
    now_ms: Callable[[], int]

    def decide(self, person: Person, transaction_id: str, value: LabelValue, note: str) -> Label:
        """Publish the label of a purchase; returns when the broker has acknowledged it.

        Deciding requires the claim: an expired claim is renewed unless another analyst has
        claimed the case since.

        Raises:
            Forbidden: the person's role does not decide.
            ClaimedByAnother: another analyst has the case.
            Refused: the note breaks its bounds.
            NotDelivered: the broker did not acknowledge; the same decision may be sent again.
            StoreUnavailable: the claims cannot be read.
        """
        person.require(Right.DECIDE)
        now_ms = self.now_ms()
        label = Label(
            schema=LABEL_SCHEMA,
            transaction_id=transaction_id,
            verdict=value,
            source=Source.ANALYST,
            by=person.login,
            known_at_ms=now_ms,
            note=note.strip() or None,
        )
        if broken := problems(label):
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        holder = self.claims.claim(transaction_id, person.login)
        if holder != person.login:
            raise ClaimedByAnother(holder)
        self.topic.publish([(transaction_id, self.encode(label), now_ms)])
        self.claims.release(transaction_id, person.login)
        return label
