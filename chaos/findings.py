"""What became of every purchase: the questions of the proof, over plain values and no engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SHOWN = 5
Examples = dict[str, list[str]]


@dataclass(slots=True)
class Judged:
    """What ``fraud_topic`` holds of one transaction."""

    verdict_ids: set[str] = field(default_factory=set)
    copies: set[bytes] = field(default_factory=set)  # a hash of each different message
    messages: int = 0
    risk_views: set[str] = field(default_factory=set)  # the views that its copies name


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that the engines hold, read once and by transaction id."""

    accepted: set[str]  # the ledger: what was promised
    rows: Sequence[tuple[str, str]]  # (transaction id, verdict id) in the system of record
    judged: Mapping[str, Judged]
    logged: set[str]  # ids on transaction_topic
    put_aside: set[str]  # ids with a dead letter in place of a verdict
    dead_letters: int  # different origins


@dataclass(slots=True)
class Findings:
    """Counts and a few example ids for each; all four of 0 is the proof."""

    accepted: int = 0
    verdicts: int = 0
    put_aside: int = 0  # accepted ones that have a dead letter in place of a verdict
    dead_letters: int = 0
    lost: int = 0
    duplicates: int = 0
    conflicting: int = 0
    mismatched_features: int | None = None
    features_compared: int = 0
    repeated_messages: int = (
        0  # copies on fraud_topic: allowed, and proof that something was redone
    )
    examples: Examples = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, doubled or judged by other features; unknown is not."""
        wrong = (self.lost, self.duplicates, self.conflicting, self.mismatched_features)
        return all(count == 0 for count in wrong)

    def show(self, kind: str, named: Iterable[str]) -> int:
        """Keep a few of these as examples; returns how many there are."""
        found = sorted(named)
        if found:
            self.examples[kind] = found[:SHOWN]
        return len(found)


def count(seen: Seen) -> Findings:
    """Everything but the features."""
    rows = Counter(transaction_id for transaction_id, _ in seen.rows)
    findings = Findings(
        accepted=len(seen.accepted),
        verdicts=len(seen.rows),
        put_aside=len((seen.accepted & seen.put_aside) - rows.keys()),
        dead_letters=seen.dead_letters,
        repeated_messages=sum(one.messages - 1 for one in seen.judged.values()),
    )
    missing = seen.accepted - rows.keys() - seen.put_aside
    findings.lost = findings.show("lost", (f"{_last_seen(one, seen)}: {one}" for one in missing))
    findings.duplicates = findings.show("duplicates", _duplicates(seen, rows))
    conflicting = (name for name, one in seen.judged.items() if len(one.copies) > 1)
    findings.conflicting = findings.show("conflicting", conflicting)
    return findings


def _last_seen(transaction_id: str, seen: Seen) -> str:
    """How far a lost purchase came: where to look for the cause."""
    if transaction_id in seen.judged:
        return "judged but not stored"
    if transaction_id in seen.logged:
        return "logged but not judged"
    return "acknowledged but not logged"


def _duplicates(seen: Seen, rows: Counter[str]) -> set[str]:
    """More than one row, or a row whose verdict is not the one verdict on the topic."""
    found = {name for name, times in rows.items() if times > 1}
    found |= {name for name, one in seen.judged.items() if len(one.verdict_ids) > 1}
    for name, verdict_id in seen.rows:
        one = seen.judged.get(name)
        if one is None or verdict_id not in one.verdict_ids:
            found.add(name)
    return found
