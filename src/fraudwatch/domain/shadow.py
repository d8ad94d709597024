"""Compare the live verdict of each purchase with that of a candidate, and count each purchase once.

Counts are kept by comparison and source partition, together with the position that they reach to:
one write stores both, so that a reader that is killed resumes where its counts end. Within a
partition, offsets of new verdicts only rise; :mod:`fraudwatch.domain.tally` explains why the
highest one is enough to recognise a copy. Offsets are those of topics, so the ids of the topics are
counted as one more dimension: a comparison does not go on in a topic that was made anew.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict

NOTHING_COMPARED: Final = -1
# Examples of one pair of outcomes that a partition keeps: the newest at each place.
EXAMPLE_PLACES: Final = 40
NO_MODEL: Final = "none"


class NotCompared(enum.StrEnum):
    """Why a purchase with a live verdict has no verdict of the candidate."""

    NO_TRANSACTION = "no_transaction"  # retention removed it, or it did not come in time
    NO_VECTOR = "no_vector"
    OTHER_FEATURES = "other_features"  # it was scored by another features version
    POLICY_UNKNOWN = "policy_unknown"  # what the candidate does not replace of it: lists, or all
    MODEL_UNKNOWN = "model_unknown"


class ShadowDimension(enum.StrEnum):
    """Dimension by which a comparison is counted; its value is a text."""

    PAIR = "pair"  # "review/HIGH>approve/LOW": live, then candidate
    LIVE_REASON = "live_reason"  # of the live verdict alone, where outcomes differ
    CANDIDATE_REASON = "candidate_reason"
    LIVE_VERSIONS = "live_versions"
    CANDIDATE_VERSIONS = "candidate_versions"
    NOT_COMPARED = "not_compared"
    TOPICS = "topics"  # "fraud_topic=ID feature_topic=ID transaction_topic=ID": Kafka's ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A candidate policy, a candidate model, or both, compared from a time on."""

    comparison_id: str
    started_at_ms: int
    from_at_ms: int
    """Verdicts that were published from this time on are compared."""
    started_by: str
    policy_version: str | None = None
    """None: each purchase's live policy."""
    model_version: str | None = None
    """None: the models that each live verdict names."""


class Compared(NamedTuple):
    """A purchase with its live verdict and the candidate's."""

    live: Verdict
    candidate: Verdict | NotCompared

    @property
    def differs(self) -> bool:
        """Whether the candidate has another outcome."""
        return isinstance(self.candidate, Verdict) and self.candidate.outcome != self.live.outcome


class Pair(NamedTuple):
    """Outcome and risk level of both verdicts of a purchase."""

    live_outcome: Outcome
    live_risk: Risk
    candidate_outcome: Outcome
    candidate_risk: Risk

    @classmethod
    def of(cls, live: Verdict, candidate: Verdict) -> Pair:
        """Return the pair of two verdicts."""
        return cls(live.outcome, live.risk, candidate.outcome, candidate.risk)

    @classmethod
    def parse(cls, value: str) -> Pair:
        """Parse the value of the dimension PAIR."""
        live, candidate = (side.split("/") for side in value.split(">"))
        return cls(Outcome(live[0]), Risk(live[1]), Outcome(candidate[0]), Risk(candidate[1]))

    @property
    def value(self) -> str:
        """Value of the dimension PAIR."""
        live = f"{self.live_outcome}/{self.live_risk}"
        return f"{live}>{self.candidate_outcome}/{self.candidate_risk}"


class ShadowCounts(NamedTuple):
    """Numbers of one row; they only ever grow."""

    purchases: int = 0
    amount_eur_cents: int = 0

    def plus(self, other: ShadowCounts) -> ShadowCounts:
        """Add both."""
        return ShadowCounts(
            self.purchases + other.purchases, self.amount_eur_cents + other.amount_eur_cents
        )


class ShadowKey(NamedTuple):
    """Key of one row of counts."""

    day: str
    """Day of the purchase, ``2026-11-21``, UTC."""
    dimension: ShadowDimension
    value: str


class ShadowPosition(NamedTuple):
    """Position that the counts of a partition reach to."""

    source_offset: int = NOTHING_COMPARED
    """The highest offset of a counted purchase in its topic."""
    first_source_offset: int = NOTHING_COMPARED
    """The offset of the first one."""
    verdict_offset: int = NOTHING_COMPARED
    """The next verdict to read."""
    vector_offset: int = NOTHING_COMPARED
    """The next feature vector to read."""


@dataclass(slots=True)
class ShadowCounted:
    """Counts of one comparison and source partition, with their position."""

    comparison_id: str
    source_partition: int
    position: ShadowPosition = field(default_factory=ShadowPosition)
    rows: dict[ShadowKey, ShadowCounts] = field(default_factory=dict)
    changed: set[ShadowKey] = field(default_factory=set)
    """Rows that are not stored yet."""
    topics: str = ""
    """Value of the dimension TOPICS; empty in counts of before ids were kept."""

    def __post_init__(self) -> None:
        for key in self.rows:
            if key.dimension is ShadowDimension.TOPICS:
                self.topics = key.value

    def add(self, compared: Compared, *, verdict_offset: int, vector_offset: int | None) -> bool:
        """Count a purchase; False if it was counted before.

        Args:
            compared: its verdicts.
            verdict_offset: of the live verdict in its topic.
            vector_offset: of the vector that it was scored with; None if there was none.
        """
        live, until = compared.live, self.position
        if live.source_offset <= until.source_offset:
            return False
        is_first = until.first_source_offset == NOTHING_COMPARED
        self.position = ShadowPosition(
            source_offset=live.source_offset,
            first_source_offset=live.source_offset if is_first else until.first_source_offset,
            verdict_offset=verdict_offset + 1,
            vector_offset=until.vector_offset if vector_offset is None else vector_offset + 1,
        )
        day, counts = day_of(live.event_at_ms), ShadowCounts(1, live.amount_eur_cents)
        topics = [(ShadowDimension.TOPICS, self.topics)] if self.topics else []
        for dimension, value in (*_values_of(compared), *topics):
            key = ShadowKey(day, dimension, value)
            self.rows[key] = self.rows.get(key, ShadowCounts()).plus(counts)
            self.changed.add(key)
        return True


class ShadowExample(NamedTuple):
    """A purchase whose outcome differs, as a page lists it."""

    transaction_id: str
    source_partition: int
    source_offset: int
    event_at_ms: int
    amount_eur_cents: int
    pair: Pair
    live_score: float
    candidate_score: float
    live_reasons: tuple[str, ...]
    candidate_reasons: tuple[str, ...]

    @property
    def place(self) -> int:
        """Place among the examples of its pair; a later purchase replaces an earlier one."""
        return self.source_offset % EXAMPLE_PLACES


def example_of(compared: Compared) -> ShadowExample | None:
    """Return the example of a purchase whose outcome differs; None for any other."""
    live, candidate = compared
    if not isinstance(candidate, Verdict) or not compared.differs:
        return None
    return ShadowExample(
        transaction_id=live.transaction_id,
        source_partition=live.source_partition,
        source_offset=live.source_offset,
        event_at_ms=live.event_at_ms,
        amount_eur_cents=live.amount_eur_cents,
        pair=Pair.of(live, candidate),
        live_score=live.score,
        candidate_score=candidate.score,
        live_reasons=tuple(reason.rule for reason in live.reasons),
        candidate_reasons=tuple(reason.rule for reason in candidate.reasons),
    )


def versions_of(verdict: Verdict) -> str:
    """Return the policy and the classifier of a verdict as one text."""
    models = {one.model: one.version for one in verdict.model_scores}
    return f"{verdict.policy_version} {models.get('fraud', NO_MODEL)}"


def summed(parts: Iterable[ShadowCounted]) -> Mapping[ShadowKey, ShadowCounts]:
    """Sum the counts of partitions."""
    total: dict[ShadowKey, ShadowCounts] = {}
    for part in parts:
        for key, counts in part.rows.items():
            total[key] = total.get(key, ShadowCounts()).plus(counts)
    return total


def _values_of(compared: Compared) -> Iterator[tuple[ShadowDimension, str]]:
    live, candidate = compared
    if not isinstance(candidate, Verdict):
        yield ShadowDimension.NOT_COMPARED, str(candidate)
        return
    yield ShadowDimension.PAIR, Pair.of(live, candidate).value
    yield ShadowDimension.LIVE_VERSIONS, versions_of(live)
    yield ShadowDimension.CANDIDATE_VERSIONS, versions_of(candidate)
    if compared.differs:
        of_live = {reason.rule for reason in live.reasons}
        of_candidate = {reason.rule for reason in candidate.reasons}
        for rule in of_live - of_candidate:
            yield ShadowDimension.LIVE_REASON, rule
        for rule in of_candidate - of_live:
            yield ShadowDimension.CANDIDATE_REASON, rule
