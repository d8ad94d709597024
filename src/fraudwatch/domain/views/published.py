"""Look up purchases in published risk views: one rule for stream, replay, training and backtest.

The newest published view whose valid-from is not after the purchase's own time, and not 48 hours
before it or more. None: unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.views.catalogue import VALID_FOR_MS, VIEW_FEATURES
from fraudwatch.domain.views.view import Keys, RiskView, look_up

VERSION_LENGTH = 12
NO_VIEW = ""  # in a verdict for which no view was valid


class Published(NamedTuple):
    """Published view: the hash that names it, and the event time from which it may be used."""

    sha256: str
    valid_from_ms: int


class ViewFeatures(NamedTuple):
    """View features of purchases, and the view that each came from."""

    features: Float64s  # [purchase, VIEW_FEATURES], NaN unknown
    view: list[str]  # first digits of its hash, or NO_VIEW


@dataclass(frozen=True, slots=True)
class RiskViews:
    """Published views, oldest first; ``open_view`` loads one of them, and may be slow."""

    published: tuple[Published, ...]
    open_view: Callable[[str], RiskView]

    def lookup(self, keys: Keys, event_at_ms: Int64s) -> ViewFeatures:
        """Look up every purchase in its view."""
        places = view_for(self.published, event_at_ms)
        features = np.full((len(places), len(VIEW_FEATURES)), np.nan)
        for place in set(places.tolist()) - {-1}:
            rows = np.flatnonzero(places == place)
            view_keys = {entity: of_all[rows] for entity, of_all in keys.items()}
            view = self.open_view(self.published[place].sha256)
            features[rows] = look_up(view, view_keys, event_at_ms[rows])
        names = [*(one.sha256[:VERSION_LENGTH] for one in self.published), NO_VIEW]
        return ViewFeatures(features, [names[place] for place in places.tolist()])


def view_for(published: tuple[Published, ...], event_at_ms: Int64s) -> Int64s:
    """Return the index of each purchase's view in ``published`` (oldest first); -1 for none.

    A view is valid for 48 hours of the purchases' own time: an older one says nothing about them.
    """
    valid_from_ms = np.array([one.valid_from_ms for one in published], dtype=np.int64)
    newest = np.searchsorted(valid_from_ms, event_at_ms, side="right") - 1
    if not len(published):
        return newest
    is_valid = event_at_ms - valid_from_ms[newest] < VALID_FOR_MS
    return np.where(is_valid, newest, -1)


def _open_none(sha256: str) -> RiskView:
    raise KeyError(sha256)


NO_VIEWS = RiskViews((), _open_none)
