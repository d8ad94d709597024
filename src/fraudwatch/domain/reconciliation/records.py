"""Define a purchase's records to compare, by source, and the classes of findings."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Finding(enum.StrEnum):
    """Class of difference; each has a row for every day, with 0 where nothing was found."""

    MISSING_IN_ARCHIVE = "missing_in_archive"
    MISSING_IN_STORE = "missing_in_store"
    MISSING_FEATURES = "missing_features"
    EXTRA_IN_ARCHIVE = "extra_in_archive"
    EXTRA_IN_STORE = "extra_in_store"
    DUPLICATE = "duplicate"
    DIFFERENT_FEATURES = "different_features"
    DIFFERENT_SCORE = "different_score"
    DIFFERENT_OUTCOME = "different_outcome"
    DIFFERENT_AMOUNT = "different_amount"
    DIFFERENT_IN_STORE = "different_in_store"


class RecordSource(enum.StrEnum):
    """Source of a record that is compared."""

    FRAUD_TOPIC = "raw_fraud_topic"
    FEATURE_TOPIC = "raw_feature_topic"
    CORE_VERDICTS = "core_verdicts"
    CORE_TRANSACTIONS = "core_transactions"
    CASSANDRA = "cassandra"


class Mismatch(NamedTuple):
    """One finding with its transaction, source, and the two values."""

    finding: Finding
    transaction_id: str
    source: RecordSource
    actual: str
    expected: str


class RecordedScore(NamedTuple):
    """One model's score in a record."""

    model: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredOutcome:
    """Result of scoring a purchase: the batch layer's own, or a source's."""

    outcome: str
    risk: str
    score: float
    model_scores: tuple[RecordedScore, ...] = ()
    is_control: bool = False
    is_novel: bool = False

    @property
    def decision(self) -> str:
        """Format outcome, risk and marks for an example."""
        marks = (" control" if self.is_control else "") + (" novelty" if self.is_novel else "")
        return f"{self.outcome} {self.risk}{marks}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVerdict:
    """Verdict as recorded by one source."""

    scored: ScoredOutcome
    amount_eur_cents: int
    digest: str = ""
    """Hash of the whole message in canonical form; empty where the source has only its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """Batch layer's results for an accepted purchase."""

    amount_eur_cents: int
    features: bytes | None = None
    """The vector, or as much of its beginning as can be recomputed; None: nothing can."""
    scored: ScoredOutcome | None = None
    """None: it could not be rescored, for a reason that is counted elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRecords:
    """All records of one transaction id."""

    transaction_id: str
    computed: Recomputed | None  # None: the log has no accepted purchase of this id
    copies: Sequence[RecordedVerdict] = ()  # different verdicts on the topic, latest first
    core: RecordedVerdict | None = None
    core_amount_eur_cents: int | None = None  # of core_transactions; None: missing
    stored: RecordedVerdict | None = None
    is_store_checked: bool = True
    served: Sequence[bytes] = ()  # different vectors on the topic
