"""What was believed of purchases at any time: training on a past day knows no later label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fraudwatch.domain.evaluation.labelled_alerts import standing_truths
from fraudwatch.domain.messages.label import Label, Truth


class Change(NamedTuple):
    """From when on what is believed of a purchase; unsure: nobody is sure (any more)."""

    transaction_id: str
    known_at_ms: int
    truth: Truth


def truth_changes(labels: Iterable[Label]) -> list[Change]:
    """Every change of what stands, by :func:`standing_truths`."""
    said: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        said[label.transaction_id].append(label)
    return [change for about in said.values() for change in _changes(about)]


def truths_by(changes: Iterable[Change], as_of_ms: int) -> Mapping[str, Truth]:
    """What was believed before an instant; a purchase of which nobody spoke is not in it."""
    latest: dict[str, Change] = {}
    for change in changes:
        if change.known_at_ms < as_of_ms:
            known = latest.setdefault(change.transaction_id, change)
            if known.known_at_ms < change.known_at_ms:
                latest[change.transaction_id] = change
    return {name: change.truth for name, change in latest.items()}


def _changes(about: Sequence[Label]) -> Iterable[Change]:
    """Of one purchase; few people speak of it, so each instant is looked at anew."""
    [name] = {label.transaction_id for label in about}
    before: Truth | None = None
    for at_ms in sorted({label.known_at_ms for label in about}):
        known = [label for label in about if label.known_at_ms <= at_ms]
        stands = standing_truths(known).get(name, Truth.UNSURE)
        if stands is not before:
            yield Change(name, at_ms, stands)
        before = stands
