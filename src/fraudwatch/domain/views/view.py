"""One risk view: sorted keys and their numbers, looked up for a whole batch at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.features.catalogue import DAY_MS, HOUR_MS
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.views.catalogue import (
    VALID_AFTER_MS,
    VIEW_FEATURES,
    Entity,
    held_columns,
)

Float64s = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Keys = Mapping[Entity, UInt64s]  # of every purchase; 0 unknown

_COLUMNS: Final = {
    entity: [place for place, one in enumerate(VIEW_FEATURES) if one.entity is entity]
    for entity in Entity
}
_AGES: Final = [place for place, one in enumerate(VIEW_FEATURES) if one.since]


class BrokenView(ValueError):
    """A view that may not be used; the text says which and why."""


class EntityTable(NamedTuple):
    """What a view holds of one kind of entity."""

    keys: UInt64s  # ascending, each once
    values: Float64s  # [key, held column], NaN unknown


@dataclass(frozen=True, slots=True)
class RiskView:
    """What was known by the end of an hour, of every entity that had a part in it."""

    built_until_ms: int
    tables: Mapping[Entity, EntityTable]

    def __post_init__(self) -> None:
        if self.built_until_ms % HOUR_MS:
            raise BrokenView("it does not end with an hour")
        for entity in Entity:
            _check(entity, self.tables[entity])

    @property
    def valid_from_ms(self) -> int:
        """From which event's time on it may be used."""
        return self.built_until_ms + VALID_AFTER_MS


def table_of(names: Sequence[str], values: Float64s) -> EntityTable:
    """The table of entities by name.

    Two names of one hash would speak for each other, so neither is in it.
    """
    keys, first, times = np.unique(keys_of(names), return_index=True, return_counts=True)
    is_sole = (times == 1) & (keys != 0)
    return EntityTable(keys[is_sole], values[first[is_sole]])


def look_up(view: RiskView, keys: Keys, event_at_ms: Int64s) -> Float64s:
    """[purchase, VIEW_FEATURES]: what the view says, NaN where it says nothing."""
    told = np.full((len(event_at_ms), len(VIEW_FEATURES)), np.nan)
    for entity, columns in _COLUMNS.items():
        table, wanted = view.tables[entity], keys[entity]
        if len(table.keys):
            found = _place_of(wanted, table.keys)
            is_known = table.keys[found] == wanted  # no table holds 0
            told[:, columns] = np.where(is_known[:, None], table.values[found], np.nan)
    return with_ages(told, event_at_ms)


def with_ages(held: Float64s, event_at_ms: Int64s) -> Float64s:
    """What is held of purchases, instants turned into ages, in place."""
    for place in _AGES:
        held[:, place] = (event_at_ms - held[:, place]) / DAY_MS
    return held


def _place_of(wanted: UInt64s, keys: UInt64s) -> Int64s:
    """Where each stands, if it does; asked in order, a big table is walked through only once."""
    order = np.argsort(wanted)
    place = np.empty(len(wanted), dtype=np.int64)
    place[order] = np.searchsorted(keys, wanted[order])
    return np.minimum(place, len(keys) - 1)


def _check(entity: Entity, table: EntityTable) -> None:
    keys, values = table
    wanted = (len(keys), len(held_columns(entity)))
    if keys.dtype != np.uint64 or values.dtype != np.float64 or values.shape != wanted:
        raise BrokenView(f"its numbers of {entity} are not those of the catalogue")
    if len(keys) and (keys[0] == 0 or (keys[1:] <= keys[:-1]).any()):
        raise BrokenView(f"its keys of {entity} are not in order")
    if np.isinf(values).any():
        raise BrokenView(f"it holds a number of {entity} that is none")
