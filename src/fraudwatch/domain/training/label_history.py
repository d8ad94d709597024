"""Derive the label history of purchases: training on a past day uses no later label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fraudwatch.domain.evaluation.labelled_alerts import current_labels
from fraudwatch.domain.messages.label import Label, LabelValue


class LabelChange(NamedTuple):
    """Change of a purchase's label in effect; unsure: no source is sure (any more)."""

    transaction_id: str
    known_at_ms: int
    value: LabelValue


def label_changes(labels: Iterable[Label]) -> list[LabelChange]:
    """Return every change of a label, by :func:`current_labels`."""
    by_transaction: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        by_transaction[label.transaction_id].append(label)
    return [
        change for labels_of_one in by_transaction.values() for change in _changes(labels_of_one)
    ]


def labels_as_of(changes: Iterable[LabelChange], as_of_ms: int) -> Mapping[str, LabelValue]:
    """Return the labels in effect before an instant; purchases without a label are left out."""
    latest: dict[str, LabelChange] = {}
    for change in changes:
        if change.known_at_ms < as_of_ms:
            known = latest.setdefault(change.transaction_id, change)
            if known.known_at_ms < change.known_at_ms:
                latest[change.transaction_id] = change
    return {name: change.value for name, change in latest.items()}


def _changes(labels_of_one: Sequence[Label]) -> Iterable[LabelChange]:
    """Return the changes of one purchase; labels are few, so each instant is evaluated anew."""
    [name] = {label.transaction_id for label in labels_of_one}
    before: LabelValue | None = None
    for at_ms in sorted({label.known_at_ms for label in labels_of_one}):
        known = [label for label in labels_of_one if label.known_at_ms <= at_ms]
        current = current_labels(known).get(name, LabelValue.UNSURE)
        if current is not before:
            yield LabelChange(name, at_ms, current)
        before = current
