"""Decide a case: what an analyst says a purchase was becomes a label on its topic."""

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


class HeldByAnother(RuntimeError):
    """Somebody else works on the case now, so nothing was decided."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(f"{holder} works on this case now: nothing was decided")


@dataclass(frozen=True, slots=True)
class Decisions:
    """The way from an analyst's word to ``labels_topic``."""

    topic: Publisher
    claims: Claims
    encode: Callable[[Any], bytes]
    now_ms: Callable[[], int]

    def decide(self, person: Person, transaction_id: str, truth: LabelValue, note: str) -> Label:
        """Say what a purchase was; returns when the broker has acknowledged the label.

        Whoever decides holds the case: a claim that has run out is taken again, one that somebody
        else has taken since is respected.

        Raises:
            Forbidden: the person's role does not decide.
            HeldByAnother: somebody else has the case.
            Refused: the note breaks its bounds.
            NotDelivered: the broker did not acknowledge; the same decision may be given again.
            StoreUnavailable: nobody can tell who has the case.
        """
        person.require(Right.DECIDE)
        now_ms = self.now_ms()
        label = Label(
            schema=LABEL_SCHEMA,
            transaction_id=transaction_id,
            verdict=truth,
            source=Source.ANALYST,
            by=person.login,
            known_at_ms=now_ms,
            note=note.strip() or None,
        )
        if broken := problems(label):
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        holder = self.claims.claim(transaction_id, person.login)
        if holder != person.login:
            raise HeldByAnother(holder)
        self.topic.publish([(transaction_id, self.encode(label), now_ms)])
        self.claims.release(transaction_id, person.login)
        return label
