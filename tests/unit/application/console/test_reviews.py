"""Reviews: one open review a purchase, decided by another person, audited first."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.handling import MemoryReviews
from fraudwatch.adapters.memory.verdict_store import MemoryTopic, MemoryVerdictStore
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.console.reviews import Review, ReviewRefused, ReviewResult, Reviews
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.samples import NOON_MS, a_verdict

ANN, BEN, ROOT = Person("ann", Role.ANALYST), Person("ben", Role.LEAD), Person("root", Role.ADMIN)
VERDICT = a_verdict()
CASE, ASKED, NOTE = VERDICT.transaction_id, "I bought this myself.", "The bank confirms it."


class World:
    def __init__(self) -> None:
        self.alerts, self.store, self.audit = MemoryVerdictStore(), MemoryReviews(), MemoryTopic()
        log = PublishedAudit(self.audit, encode)
        self.reviews = Reviews(self.store, self.alerts, lambda: log, lambda: NOON_MS)

    def audited(self) -> list[tuple[str, str, str]]:
        records = [json.loads(message) for _, message, _ in self.audit.messages]
        return [(record["deed"], record["by"], record["reason"]) for record in records]


def test_a_review_is_filed_and_decided_each_after_its_record() -> None:
    world = World()
    filed = world.reviews.file(ANN, VERDICT, f" {ASKED} ")
    assert world.store.open_reviews() == {CASE: filed}
    assert (filed.request, filed.filed_by, filed.result) == (ASKED, "ann", None)
    decided = world.reviews.decide(BEN, CASE, ReviewResult.REVERSED, NOTE)
    assert decided == replace(
        filed, result=ReviewResult.REVERSED, decided_at_ms=NOON_MS, decided_by="ben", note=NOTE
    )
    assert world.store.open_reviews() == {}
    assert world.store.decided_reviews(CASE) == [decided]
    assert world.audited() == [
        ("review_requested", "ann", ASKED),
        ("review_decided", "ben", f"reversed: {NOTE}"),
    ]


def test_without_its_record_nothing_is_filed_or_decided() -> None:
    world = World()
    world.audit.is_reachable = False
    with pytest.raises(NotDelivered):
        world.reviews.file(ANN, VERDICT, ASKED)
    assert world.store.open_reviews() == {}
    world.audit.is_reachable = True
    filed = world.reviews.file(ANN, VERDICT, ASKED)
    world.audit.is_reachable = False
    with pytest.raises(NotDelivered):
        world.reviews.decide(BEN, CASE, ReviewResult.UPHELD, NOTE)
    assert world.store.open_reviews() == {CASE: filed}


def test_one_review_of_a_purchase_is_open_at_a_time() -> None:
    world = World()
    filed = world.reviews.file(ANN, VERDICT, ASKED)
    with pytest.raises(ReviewRefused, match="open already"):
        world.reviews.file(BEN, VERDICT, "Asked once more, by mail.")
    assert world.store.open_reviews() == {CASE: filed}
    assert len(world.audited()) == 1


def test_who_labelled_the_purchase_does_not_review_it() -> None:
    world = World()
    world.reviews.file(ANN, VERDICT, ASKED)
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id=CASE,
        verdict=LabelValue.FRAUD,
        source=Source.ANALYST,
        by="ann",
        known_at_ms=NOON_MS,
    )
    world.alerts.write([], [], [label])
    with pytest.raises(ReviewRefused, match="another person must review it"):
        world.reviews.decide(ANN, CASE, ReviewResult.UPHELD, NOTE)
    world.reviews.decide(BEN, CASE, ReviewResult.UPHELD, NOTE)


def test_of_two_who_decide_at_once_the_second_learns_of_the_first() -> None:
    world = World()
    filed = world.reviews.file(ANN, VERDICT, ASKED)

    class Stale(MemoryReviews):
        def open_reviews(self) -> dict[str, Review]:
            return {CASE: filed}

    late = replace(world.reviews, store=Stale())
    late.decide(BEN, CASE, ReviewResult.UPHELD, NOTE)
    with pytest.raises(ReviewRefused, match="ben has decided this review meanwhile"):
        late.decide(Person("cleo", Role.ANALYST), CASE, ReviewResult.REVERSED, NOTE)
    assert late.store.decided_reviews(CASE)[0].result is ReviewResult.UPHELD


@pytest.mark.parametrize("text", ["short", " " * 20, "x" * 501])
def test_a_text_out_of_its_bounds_changes_nothing(text: str) -> None:
    world = World()
    with pytest.raises(ReviewRefused, match="10 to 500 characters"):
        world.reviews.file(ANN, VERDICT, text)
    world.reviews.file(ANN, VERDICT, ASKED)
    with pytest.raises(ReviewRefused, match="10 to 500 characters"):
        world.reviews.decide(BEN, CASE, ReviewResult.UPHELD, text)
    assert CASE in world.store.open_reviews()


def test_a_review_that_is_not_open_is_not_decided() -> None:
    with pytest.raises(ReviewRefused, match="No review of this purchase is open"):
        World().reviews.decide(BEN, CASE, ReviewResult.UPHELD, NOTE)


def test_who_decides_no_cases_files_and_decides_no_review() -> None:
    world = World()
    with pytest.raises(Forbidden):
        world.reviews.file(ROOT, VERDICT, ASKED)
    world.reviews.file(ANN, VERDICT, ASKED)
    with pytest.raises(Forbidden):
        world.reviews.decide(ROOT, CASE, ReviewResult.UPHELD, NOTE)
