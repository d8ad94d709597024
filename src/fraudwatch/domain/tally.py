"""Tally verdicts once by day and dimension: country, merchant, category, hour, rule.

A rate needs both numbers: alerts and all purchases. Counting them for each page request would read
every verdict; so they are counted as verdicts are made.

Each verdict is counted once by the offset of its transaction in the log, ``source_offset``. Counts
are kept by event day and source partition, each with the highest offset that is in them. Why that
one number is enough: the detector scores a partition in offset order and writes in that order, and
a replay after a crash writes from further back and in order again. So when an offset appears for
the first time, every lower offset that will ever appear has appeared already. An offset up to the
highest was therefore counted, or belongs to another day: a day's verdicts are some of the
partition's, in the same order, and late events are no exception, because the offset is the order of
arrival and not of events. A purchase that is scored again counts as it was scored first.

An offset is one of a topic, and a topic that was made anew begins at 0 again. So the topic's id is
counted as one more dimension, and a day that goes on in another topic counts its offsets from 0.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import add
from typing import Final, NamedTuple

from fraudwatch.domain.messages.purchase import EARLIEST_EVENT_MS, LATEST_EVENT_MS
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict
from fraudwatch.domain.time_units import HOUR_MS

# The longest value in a transaction; the size of a store's key must be bounded.
LONGEST_VALUE: Final = 128
NOTHING_COUNTED: Final = -1


class Dimension(enum.StrEnum):
    """Dimension by which a day's purchases are counted; its value is a text."""

    ALL = "all"  # value ""
    COUNTRY = "country"  # the merchant's, ISO 3166 alpha-2; "" where unknown
    MERCHANT = "merchant"
    CATEGORY = "category"  # "" where unknown
    HOUR = "hour"  # of the event, UTC, "00" to "23"
    RULE = "rule"  # a purchase counts under every rule it hit
    TOPIC = "topic"  # "0 ID": Kafka's id of the transaction's topic, after the offsets before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of the purchases of one UTC day that share one value of one dimension.

    Days are days of the event, not of the decision: a week that is replayed in a minute is a week.
    """

    day: str
    """``2026-11-21``, UTC."""
    dimension: Dimension
    value: str
    purchases: int = 0
    amount_eur_cents: int = 0
    medium: int = 0
    """Alerts (not approved) by risk level; LOW is no alert."""
    high: int = 0
    critical: int = 0
    declined: int = 0
    alerts_amount_eur_cents: int = 0
    declined_amount_eur_cents: int = 0

    @property
    def alerts(self) -> int:
        """Number of purchases that were not approved."""
        return self.medium + self.high + self.critical


class Counts(NamedTuple):
    """The numbers of a :class:`Tally`, by the same names; they only ever grow."""

    purchases: int = 0
    amount_eur_cents: int = 0
    medium: int = 0
    high: int = 0
    critical: int = 0
    declined: int = 0
    alerts_amount_eur_cents: int = 0
    declined_amount_eur_cents: int = 0

    def plus(self, other: Counts) -> Counts:
        """Add both."""
        return Counts._make(map(add, self, other))


NONE: Final = Counts()
Key = tuple[Dimension, str]


@dataclass(slots=True)
class Counted:
    """Counts of one event day and source partition, with the highest offset counted."""

    day: str
    source_partition: int
    until: int = NOTHING_COUNTED
    """The highest ``source_offset`` that was counted."""
    rows: dict[Key, Counts] = field(default_factory=dict)
    changed: set[Key] = field(default_factory=set)
    """Rows that are not stored yet."""
    topic_id: str = ""
    """Of the topic whose offset ``until`` is; empty in counts of before ids were kept."""
    before: int = 0
    """Number of offsets of earlier topics, so that :attr:`progress` only ever grows."""

    def __post_init__(self) -> None:
        topics = [value for dimension, value in self.rows if dimension is Dimension.TOPIC]
        for before, topic_id in (value.split(" ") for value in topics):
            if int(before) >= self.before:
                self.before, self.topic_id = int(before), topic_id

    @property
    def progress(self) -> int:
        """Position reached over all topics; of two states the one further on wins."""
        return self.before + self.until + 1

    def continue_in(self, topic_id: str) -> None:
        """Count offsets of this topic; those of an earlier one say nothing about copies."""
        if self.topic_id not in {"", topic_id}:
            self.before, self.until = self.progress, NOTHING_COUNTED
        self.topic_id = topic_id

    def add(self, verdict: Verdict) -> bool:
        """Count a verdict of this day and partition; False if it was counted before."""
        if verdict.source_offset <= self.until:
            return False
        self.until = verdict.source_offset
        counts = _counts_of(verdict)
        topic = [(Dimension.TOPIC, f"{self.before} {self.topic_id}")] if self.topic_id else []
        for key in (*_keys_of(verdict), *topic):
            self.rows[key] = self.rows.get(key, NONE).plus(counts)
            self.changed.add(key)
        return True


def is_countable(verdict: Verdict) -> bool:
    """Check that its day and values are within the bounds of a purchase."""
    return EARLIEST_EVENT_MS <= verdict.event_at_ms <= LATEST_EVENT_MS and all(
        len(value) <= LONGEST_VALUE for _, value in _keys_of(verdict)
    )


def tallies_of(counted: Iterable[Counted]) -> list[Tally]:
    """Return the tallies of days, summed over partitions."""
    total: dict[tuple[str, Key], Counts] = {}
    for part in counted:
        for key, counts in part.rows.items():
            key_of_day = part.day, key
            total[key_of_day] = total[key_of_day].plus(counts) if key_of_day in total else counts
    return [
        Tally(day=day, dimension=dimension, value=value, **counts._asdict())
        for (day, (dimension, value)), counts in total.items()
    ]


def _keys_of(verdict: Verdict) -> Iterator[Key]:
    yield Dimension.ALL, ""
    yield Dimension.COUNTRY, verdict.merchant_country or ""
    yield Dimension.MERCHANT, verdict.merchant_id
    yield Dimension.CATEGORY, verdict.category or ""
    yield Dimension.HOUR, f"{verdict.event_at_ms // HOUR_MS % 24:02d}"
    for rule in {reason.rule for reason in verdict.reasons}:
        yield Dimension.RULE, rule


def _counts_of(verdict: Verdict) -> Counts:
    amount, is_declined = verdict.amount_eur_cents, verdict.outcome is Outcome.DECLINE
    # A policy may not approve LOW; it is in no analyst's queue, so it is no alert here either.
    if verdict.outcome is Outcome.APPROVE or verdict.risk is Risk.LOW:
        return Counts(purchases=1, amount_eur_cents=amount)
    return Counts(
        purchases=1,
        amount_eur_cents=amount,
        medium=int(verdict.risk is Risk.MEDIUM),
        high=int(verdict.risk is Risk.HIGH),
        critical=int(verdict.risk is Risk.CRITICAL),
        declined=int(is_declined),
        alerts_amount_eur_cents=amount,
        declined_amount_eur_cents=amount * is_declined,
    )
