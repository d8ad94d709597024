"""Compare two versions of the model: inputs that changed, and features that gained or lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.promotion.registry_summary import VersionSummary

# Tags of a run record that describe its inputs, in the words of the trade.
_INPUTS: Final = {
    "train_from": "First day of training",
    "train_until": "Last day of training",
    "test_from": "First day of test",
    "test_until": "Last day of test",
    "label_delay_days": "Label delay, days",
    "features_version": "Features version",
    "views_version": "Risk views version",
    "calibrated_on": "Calibrated on",
    "code_version": "Code version",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One input of two versions; None: it has none."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ImportanceChange:
    """A feature's share of the gain in two versions; None: not among the most important."""

    feature: str
    before: float | None
    after: float | None


def changed_inputs(before: VersionSummary, after: VersionSummary) -> list[Change]:
    """Return the inputs that differ, table versions and features included."""
    found = [
        Change(words, before.tags.get(tag), after.tags.get(tag)) for tag, words in _INPUTS.items()
    ]
    tables = sorted(
        {tag for one in (before, after) for tag in one.tags if tag.startswith("table.")}
    )
    found += [
        Change(
            f"Version of {tag.removeprefix('table.')}", before.tags.get(tag), after.tags.get(tag)
        )
        for tag in tables
    ]
    old, new = _features(before), _features(after)
    found += [Change("Feature removed", name, None) for name in old if name not in new]
    found += [Change("Feature added", None, name) for name in new if name not in old]
    return [one for one in found if one.before != one.after]


def importance_changes(before: VersionSummary, after: VersionSummary) -> list[ImportanceChange]:
    """Return the most important features of both, the largest share first."""
    old = {one.feature: one.gain_ratio for one in before.importance}
    new = {one.feature: one.gain_ratio for one in after.importance}
    names = sorted(
        old.keys() | new.keys(), key=lambda name: (-max(old.get(name, 0), new.get(name, 0)), name)
    )
    return [ImportanceChange(name, old.get(name), new.get(name)) for name in names]


def _features(one: VersionSummary) -> tuple[str, ...]:
    return tuple(filter(None, _split(one.tags.get("features", ""))))


def _split(listed: str) -> Iterable[str]:
    return listed.split(",")
