"""Which view counts for a purchase: one rule, live, in a replay, in training and in a backtest.

The newest published view that is valid from before or at the purchase's own time. None: unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fraudwatch.domain.views.catalogue import VIEW_FEATURES
from fraudwatch.domain.views.view import Float64s, Int64s, Keys, RiskView, look_up

VERSION_LENGTH = 12
NO_VIEW = ""  # what a verdict names where there was none


class Published(NamedTuple):
    """A view that may be used: the hash that names it, and from which event's time on."""

    sha256: str
    valid_from_ms: int


class Told(NamedTuple):
    """What views say of purchases, and which view spoke of each."""

    features: Float64s  # [purchase, VIEW_FEATURES], NaN unknown
    view: list[str]  # first digits of its hash, or NO_VIEW


@dataclass(frozen=True, slots=True)
class RiskViews:
    """The published views, oldest first; ``open_view`` brings one of them, and may be slow."""

    published: tuple[Published, ...]
    open_view: Callable[[str], RiskView]

    def tell(self, keys: Keys, event_at_ms: Int64s) -> Told:
        """Look every purchase up in its view."""
        places = view_for(self.published, event_at_ms)
        features = np.full((len(places), len(VIEW_FEATURES)), np.nan)
        for place in set(places.tolist()) - {-1}:
            rows = np.flatnonzero(places == place)
            its_keys = {entity: of_all[rows] for entity, of_all in keys.items()}
            view = self.open_view(self.published[place].sha256)
            features[rows] = look_up(view, its_keys, event_at_ms[rows])
        names = [*(one.sha256[:VERSION_LENGTH] for one in self.published), NO_VIEW]
        return Told(features, [names[place] for place in places.tolist()])


def view_for(published: tuple[Published, ...], event_at_ms: Int64s) -> Int64s:
    """The place of each purchase's view in ``published`` (oldest first); -1 where there is none."""
    valid_from_ms = np.array([one.valid_from_ms for one in published], dtype=np.int64)
    return np.searchsorted(valid_from_ms, event_at_ms, side="right") - 1


def _open_none(sha256: str) -> RiskView:
    raise KeyError(sha256)


NO_VIEWS = RiskViews((), _open_none)
