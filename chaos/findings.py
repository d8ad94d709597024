"""Count lost, duplicate and conflicting verdicts of a chaos run, without any engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SHOWN = 5
Examples = dict[str, list[str]]
COUNTED: Final = ("lost", "duplicates", "conflicting", "mismatched_features")


def count_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each count of a report, and one for each of its examples."""
    for kind in COUNTED:
        yield f"{kind}: {report[kind]}"
        for example in report["examples"].get(kind, ()):
            yield f"  {example}"


@dataclass(slots=True)
class VerdictCopies:
    """All copies of one transaction's verdict on ``fraud_topic``."""

    verdict_ids: set[str] = field(default_factory=set)
    copies: set[bytes] = field(default_factory=set)  # hashes of the different messages
    messages: int = 0
    risk_views: set[str] = field(default_factory=set)  # named by the copies
    decisions: set[bytes] = field(default_factory=set)  # of copies without the time of decision


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """Content of all engines, read back once, by transaction id."""

    accepted: set[str]  # acknowledged ids, from the ledger
    rows: Sequence[tuple[str, str]]  # (transaction id, verdict id) in Cassandra
    verdicts: Mapping[str, VerdictCopies]
    logged: set[str]  # ids on transaction_topic
    dead_lettered: set[str]  # ids with a dead letter instead of a verdict


@dataclass(slots=True)
class Findings:
    """Counts with a few example ids each; the run passes if the four of COUNTED are 0."""

    accepted: int = 0
    verdicts: int = 0
    put_aside: int = 0  # accepted purchases with a dead letter instead of a verdict
    dead_letters: int = 0  # different origins, of any source
    lost: int = 0
    duplicates: int = 0
    conflicting: int = 0
    # Of the conflicting, those that differ in more than the time of decision. The others were
    # scored again by a detector that had lost its checkpoint.
    other_decisions: int = 0
    mismatched_features: int | None = None
    features_compared: int = 0
    # Copies on fraud_topic: allowed, and evidence that a micro-batch was replayed.
    repeated_messages: int = 0
    examples: Examples = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the four counts are 0; a count that is unknown is not."""
        wrong = (self.lost, self.duplicates, self.conflicting, self.mismatched_features)
        return all(count == 0 for count in wrong)

    def add(self, other: Findings) -> None:
        """Add the counts and examples of other purchases."""
        self.accepted += other.accepted
        self.verdicts += other.verdicts
        self.put_aside += other.put_aside
        self.lost += other.lost
        self.duplicates += other.duplicates
        self.conflicting += other.conflicting
        self.other_decisions += other.other_decisions
        self.features_compared += other.features_compared
        self.repeated_messages += other.repeated_messages
        if self.mismatched_features is not None and other.mismatched_features is not None:
            self.mismatched_features += other.mismatched_features
        else:
            self.mismatched_features = None
        for kind, ids in other.examples.items():
            self.examples[kind] = [*self.examples.get(kind, ()), *ids][:SHOWN]

    def add_examples(self, kind: str, ids: Iterable[str]) -> int:
        """Keep a few ids as examples; returns the number of ids."""
        listed = sorted(ids)
        if listed:
            self.examples[kind] = listed[:SHOWN]
        return len(listed)


def count(read_back: ReadBack) -> Findings:
    """Count everything but the features."""
    rows = Counter(transaction_id for transaction_id, _ in read_back.rows)
    findings = Findings(
        accepted=len(read_back.accepted),
        verdicts=len(read_back.rows),
        put_aside=len((read_back.accepted & read_back.dead_lettered) - rows.keys()),
        repeated_messages=sum(one.messages - 1 for one in read_back.verdicts.values()),
    )
    missing = read_back.accepted - rows.keys() - read_back.dead_lettered
    lost = (f"{_last_stage(one, read_back)}: {one}" for one in missing)
    findings.lost = findings.add_examples("lost", lost)
    findings.duplicates = findings.add_examples("duplicates", _duplicates(read_back, rows))
    conflicting = (name for name, one in read_back.verdicts.items() if len(one.copies) > 1)
    findings.conflicting = findings.add_examples("conflicting", conflicting)
    other = (name for name, one in read_back.verdicts.items() if len(one.decisions) > 1)
    findings.other_decisions = findings.add_examples("other_decisions", other)
    return findings


def _last_stage(transaction_id: str, read_back: ReadBack) -> str:
    """Name the last stage that a lost purchase reached."""
    if transaction_id in read_back.verdicts:
        return "scored but not stored"
    if transaction_id in read_back.logged:
        return "logged but not scored"
    return "acknowledged but not logged"


def _duplicates(read_back: ReadBack, rows: Counter[str]) -> set[str]:
    """List ids with more than one row, or with a row whose verdict differs from the topic's."""
    duplicates = {name for name, times in rows.items() if times > 1}
    duplicates |= {name for name, one in read_back.verdicts.items() if len(one.verdict_ids) > 1}
    for name, verdict_id in read_back.rows:
        one = read_back.verdicts.get(name)
        if one is None or verdict_id not in one.verdict_ids:
            duplicates.add(name)
    return duplicates
