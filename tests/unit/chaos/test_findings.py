from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chaos.feature_comparison import ServedFeatures, compare_features
from chaos.findings import Findings, ReadBack, VerdictCopies, count
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.views.catalogue import VIEW_FEATURES


def unviewed(name: str) -> dict[str, VerdictCopies]:
    return {name: VerdictCopies({"v"}, {b"same"}, 1, {""})}


def scored(*copies: bytes, verdict_ids: tuple[str, ...] = ("v",)) -> VerdictCopies:
    return VerdictCopies(set(verdict_ids), set(copies), max(1, len(copies)))


SOUND = ReadBack(
    accepted={"s:1", "s:2"},
    rows=[("s:1", "v")],
    verdicts={"s:1": scored(b"same")},
    logged={"s:1", "s:2"},
    dead_lettered={"s:2"},
)


def test_a_row_or_a_dead_letter_for_each_accepted_id_is_sound() -> None:
    found = count(SOUND)
    assert (found.accepted, found.verdicts, found.put_aside) == (2, 1, 1)
    assert (found.lost, found.duplicates, found.conflicting, found.examples) == (0, 0, 0, {})


def test_without_compared_features_the_run_does_not_pass() -> None:
    assert not count(SOUND).ok
    assert replace(count(SOUND), mismatched_features=0).ok


@pytest.mark.parametrize(
    ("logged", "verdicts", "example"),
    [
        ({"s:1"}, {}, "acknowledged but not logged: s:9"),
        ({"s:9"}, {}, "logged but not scored: s:9"),
        ({"s:9"}, {"s:9": scored(b"x")}, "scored but not stored: s:9"),
    ],
)
def test_a_lost_purchase_is_listed_with_the_last_stage_it_reached(
    logged: set[str], verdicts: dict[str, VerdictCopies], example: str
) -> None:
    accepted, verdicts = {"s:1", "s:9"}, {**SOUND.verdicts, **verdicts}
    found = count(replace(SOUND, accepted=accepted, logged=logged, verdicts=verdicts))
    assert found.lost == 1
    assert found.examples["lost"] == [example]


@pytest.mark.parametrize(
    "broken",
    [
        replace(SOUND, rows=[("s:1", "v"), ("s:1", "v")]),
        replace(SOUND, rows=[("s:1", "another")]),
        replace(SOUND, rows=[*SOUND.rows, ("s:3", "of nothing")]),
        replace(SOUND, verdicts={"s:1": scored(b"same", verdict_ids=("v", "w"))}),
    ],
)
def test_more_than_one_row_or_verdict_is_a_duplicate(broken: ReadBack) -> None:
    found = count(broken)
    assert found.duplicates == 1
    assert not replace(found, mismatched_features=0).ok


def test_copies_on_the_topic_must_be_the_same_bytes() -> None:
    repeated = replace(SOUND, verdicts={"s:1": VerdictCopies({"v"}, {b"same"}, messages=3)})
    assert (count(repeated).conflicting, count(repeated).repeated_messages) == (0, 2)
    other = replace(SOUND, verdicts={"s:1": scored(b"one", b"two")})
    assert count(other).conflicting == 1
    assert count(other).examples["conflicting"] == ["s:1"]


def test_copies_that_were_decided_at_other_times_may_have_one_decision() -> None:
    again = VerdictCopies({"v"}, {b"then", b"now"}, messages=2, decisions={b"same"})
    found = count(replace(SOUND, verdicts={"s:1": again}))
    assert (found.conflicting, found.other_decisions) == (1, 0)
    again.decisions.add(b"another")
    found = count(replace(SOUND, verdicts={"s:1": again}))
    assert (found.conflicting, found.other_decisions) == (1, 1)
    assert found.examples["other_decisions"] == ["s:1"]


FOLDED = np.arange(len(FEATURES), dtype="<f8").tobytes()
UNKNOWN = np.full(len(VIEW_FEATURES), np.nan).tobytes()
KNOWN = np.ones(len(VIEW_FEATURES)).tobytes()
RIGHT, OTHER = (
    ServedFeatures("f", FOLDED + UNKNOWN),
    ServedFeatures("f", FOLDED[:-1] + b"x" + UNKNOWN),
)


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        ([RIGHT], None),
        ([RIGHT] * 2, None),
        ([], "not published: s:1"),
        ([OTHER], "other than folded: s:1"),
        ([RIGHT, OTHER], "other than folded: s:1"),
        ([ServedFeatures("f", FOLDED)], "of another length: s:1"),
        ([ServedFeatures("older", FOLDED + UNKNOWN)], "of another version: s:1"),
        (
            [ServedFeatures("f", FOLDED + KNOWN)],
            "with a risk view that its verdict does not name: s:1",
        ),
    ],
)
def test_served_features_must_be_the_folded_ones_bit_for_bit(
    served: list[ServedFeatures], reason: str | None
) -> None:
    found = Findings()
    compare_features(found, {"s:1": served}, {"s:1": [FOLDED]}, unviewed("s:1"), "f")
    assert found.mismatched_features == (reason is not None)
    assert found.examples.get("mismatched_features") == (None if reason is None else [reason])


@pytest.mark.parametrize("views", [UNKNOWN, KNOWN])
def test_features_of_a_named_view_are_not_compared_with_the_fold(views: bytes) -> None:
    found, verdict = Findings(), VerdictCopies({"v"}, {b"same"}, 1, {"0123456789ab"})
    served = {"s:1": [ServedFeatures("f", FOLDED + views)]}
    compare_features(found, served, {"s:1": [FOLDED]}, {"s:1": verdict}, "f")
    assert (found.mismatched_features, found.features_compared) == (0, 1)


def test_features_of_a_transaction_that_is_not_in_the_log_are_a_mismatch() -> None:
    found = Findings()
    compare_features(found, {"s:1": [RIGHT]}, {}, unviewed("s:1"), "f")
    assert found.mismatched_features == 1


def test_only_a_few_examples_are_kept() -> None:
    many = {f"s:{n}" for n in range(50)}
    found = count(replace(SOUND, accepted=many, dead_lettered=set(), rows=[], verdicts={}))
    assert found.lost == 50
    assert len(found.examples["lost"]) == 5


def test_the_findings_of_parts_add_up() -> None:
    whole = Findings(dead_letters=3, mismatched_features=0)
    for names in ({"s:1", "s:2"}, {"s:3"}):
        part = count(replace(SOUND, accepted=names, dead_lettered=set(), rows=[], verdicts={}))
        whole.add(replace(part, mismatched_features=1, features_compared=2))
    assert (whole.accepted, whole.lost, whole.dead_letters) == (3, 3, 3)
    assert (whole.mismatched_features, whole.features_compared) == (2, 4)
    assert whole.examples["lost"] == [
        "logged but not scored: s:1",
        "logged but not scored: s:2",
        "acknowledged but not logged: s:3",
    ]
    whole.add(Findings())
    assert whole.mismatched_features is None, "unknown in one part is unknown in all"


def test_added_findings_keep_a_few_examples_only() -> None:
    whole = Findings(mismatched_features=0)
    for number in range(3):
        whole.add(Findings(examples={"lost": [f"s:{number}-{n}" for n in range(4)]}))
    assert len(whole.examples["lost"]) == 5
