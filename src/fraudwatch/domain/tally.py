"""Tallies: how many purchases of a day were judged how, by country, merchant, hour and so on.

A rate needs both numbers: how many were alerts, and how many there were at all. Counting them when
a page asks would read every verdict; so they are counted as verdicts are made.

Each verdict is counted once by the place of its transaction in the log, ``source_offset``. Counts
are kept apart by event day and source partition, and beside them the highest offset that is in
them. Why that one number is enough: the detector judges a partition in offset order and writes in
that order, and whatever it writes again after a crash, it writes again from further back and in
order. So when an offset is told for the first time, everything below it that will ever be told was
told already. An offset up to the highest was therefore counted, or belongs to another day: a day's
verdicts are some of the partition's, in the same order, and late events are no exception, because
the offset says when a purchase came and not when it happened. A purchase that is judged again
counts as it was judged first.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import add
from typing import Final, NamedTuple

from fraudwatch.domain.messages.purchase import EARLIEST_EVENT_MS, LATEST_EVENT_MS
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict

# What a transaction may hold at most; a key of whatever size is nothing a store could take.
LONGEST_VALUE: Final = 128
NOTHING_COUNTED: Final = -1


class Dimension(enum.StrEnum):
    """By what a day's purchases are counted; the value is a text."""

    ALL = "all"  # value ""
    COUNTRY = "country"  # the seller's, ISO 3166 alpha-2; "" where unknown
    MERCHANT = "merchant"
    CATEGORY = "category"  # "" where unknown
    HOUR = "hour"  # of the event, UTC, "00" to "23"
    RULE = "rule"  # a purchase counts under every rule it hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was judged of the purchases of one UTC day that share one value of one dimension.

    Days are days of the event, not of the decision: a week that is replayed in a minute is a week.
    """

    day: str
    """``2026-11-21``, UTC."""
    dimension: Dimension
    value: str
    purchases: int = 0
    amount_eur_cents: int = 0
    medium: int = 0
    """Alerts (not approved) by risk; LOW is no alert."""
    high: int = 0
    critical: int = 0
    declined: int = 0
    alerts_amount_eur_cents: int = 0
    declined_amount_eur_cents: int = 0

    @property
    def alerts(self) -> int:
        """How many were not approved."""
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
        """Both together."""
        return Counts._make(map(add, self, other))


NONE: Final = Counts()
Key = tuple[Dimension, str]


@dataclass(slots=True)
class Counted:
    """The counts of one event day and source partition, and up to where verdicts are in them."""

    day: str
    source_partition: int
    until: int = NOTHING_COUNTED
    """The highest ``source_offset`` that was counted."""
    rows: dict[Key, Counts] = field(default_factory=dict)
    changed: set[Key] = field(default_factory=set)
    """The rows that no store has yet."""

    def add(self, verdict: Verdict) -> bool:
        """Count a verdict of this day and partition; False if it was counted before."""
        if verdict.source_offset <= self.until:
            return False
        self.until = verdict.source_offset
        counts = _counts_of(verdict)
        for key in _keys_of(verdict):
            self.rows[key] = self.rows.get(key, NONE).plus(counts)
            self.changed.add(key)
        return True


def is_countable(verdict: Verdict) -> bool:
    """Whether its day and values are such as a purchase can have."""
    return EARLIEST_EVENT_MS <= verdict.event_at_ms <= LATEST_EVENT_MS and all(
        len(value) <= LONGEST_VALUE for _, value in _keys_of(verdict)
    )


def tallies_of(counted: Iterable[Counted]) -> list[Tally]:
    """The tallies of days, partitions added up."""
    total: dict[tuple[str, Key], Counts] = {}
    for part in counted:
        for key, counts in part.rows.items():
            place = part.day, key
            total[place] = total[place].plus(counts) if place in total else counts
    return [
        Tally(day=day, dimension=dimension, value=value, **counts._asdict())
        for (day, (dimension, value)), counts in total.items()
    ]


def _keys_of(verdict: Verdict) -> Iterator[Key]:
    yield Dimension.ALL, ""
    yield Dimension.COUNTRY, verdict.merchant_country or ""
    yield Dimension.MERCHANT, verdict.merchant_id
    yield Dimension.CATEGORY, verdict.category or ""
    yield Dimension.HOUR, f"{verdict.event_at_ms // 3_600_000 % 24:02d}"
    for rule in {reason.rule for reason in verdict.reasons}:
        yield Dimension.RULE, rule


def _counts_of(verdict: Verdict) -> Counts:
    amount, is_declined = verdict.amount_eur_cents, verdict.outcome is Outcome.DECLINE
    # A policy may refuse to approve LOW; it is on no analyst's list, so it is no alert here either.
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
