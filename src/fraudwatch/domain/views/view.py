"""Store one risk view as sorted keys with their numbers, and look up a whole batch in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s, UInt64s
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS
from fraudwatch.domain.views.catalogue import (
    VALID_AFTER_MS,
    VIEW_FEATURES,
    Entity,
    view_columns,
)

Keys = Mapping[Entity, UInt64s]  # of every purchase; 0 unknown

_COLUMNS: Final = {
    entity: [place for place, one in enumerate(VIEW_FEATURES) if one.entity is entity]
    for entity in Entity
}
_AGES: Final = [place for place, one in enumerate(VIEW_FEATURES) if one.since]


class BrokenView(ValueError):
    """Invalid risk view; the text names it and the reason."""


class EntityTable(NamedTuple):
    """Table of one kind of entity in a view."""

    keys: UInt64s  # ascending, each once
    values: Float64s  # [key, view column], NaN unknown


@dataclass(frozen=True, slots=True)
class RiskView:
    """Risk view of the end of an hour: the tables of all kinds of entities."""

    built_until_ms: int
    tables: Mapping[Entity, EntityTable]
    label_delay_ms: int  # age from which a purchase without a fraud label counted as genuine

    def __post_init__(self) -> None:
        if self.built_until_ms % HOUR_MS:
            raise BrokenView("it does not end at a whole hour")
        if self.label_delay_ms <= 0:
            raise BrokenView("its label delay is not positive")
        for entity in Entity:
            _check(entity, self.tables[entity])

    @property
    def valid_from_ms(self) -> int:
        """Return the event time from which it may be used."""
        return self.built_until_ms + VALID_AFTER_MS


def table_of(names: Sequence[str], values: Float64s) -> EntityTable:
    """Build the table of entities by name.

    Names whose hashes collide are left out, so that neither gets the other's numbers.
    """
    keys, first, times = np.unique(keys_of(names), return_index=True, return_counts=True)
    is_sole = (times == 1) & (keys != 0)
    return EntityTable(keys[is_sole], values[first[is_sole]])


def look_up(view: RiskView, keys: Keys, event_at_ms: Int64s) -> Float64s:
    """Return the view's features as [purchase, VIEW_FEATURES]; NaN unknown."""
    found_values = np.full((len(event_at_ms), len(VIEW_FEATURES)), np.nan)
    for entity, columns in _COLUMNS.items():
        table, wanted = view.tables[entity], keys[entity]
        if len(table.keys):
            found = _index_of(wanted, table.keys)
            is_known = table.keys[found] == wanted  # no table contains 0
            found_values[:, columns] = np.where(is_known[:, None], table.values[found], np.nan)
    return with_ages(found_values, event_at_ms)


def with_ages(values: Float64s, event_at_ms: Int64s) -> Float64s:
    """Turn the instants among a view's values into ages, in place."""
    for column in _AGES:
        values[:, column] = (event_at_ms - values[:, column]) / DAY_MS
    return values


def _index_of(wanted: UInt64s, keys: UInt64s) -> Int64s:
    """Return each key's index, if it is there; in sorted order a big table is read only once."""
    order = np.argsort(wanted)
    place = np.empty(len(wanted), dtype=np.int64)
    place[order] = np.searchsorted(keys, wanted[order])
    return np.minimum(place, len(keys) - 1)


def _check(entity: Entity, table: EntityTable) -> None:
    keys, values = table
    wanted = (len(keys), len(view_columns(entity)))
    if keys.dtype != np.uint64 or values.dtype != np.float64 or values.shape != wanted:
        raise BrokenView(f"its numbers of {entity} are not those of the catalogue")
    if len(keys) and (keys[0] == 0 or (keys[1:] <= keys[:-1]).any()):
        raise BrokenView(f"its keys of {entity} are not in order")
    if np.isinf(values).any():
        raise BrokenView(f"its numbers of {entity} include an infinite one")
