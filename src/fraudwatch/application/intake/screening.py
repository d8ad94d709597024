"""Screen the name of a purchase against watch lists, at the edge, where names still exist."""

from __future__ import annotations

from typing import Final, Protocol

from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.watch_lists import NameMatch


class WatchLists(Protocol):
    """All lists that are in use."""

    def best_match(self, name: str, countries: frozenset[str]) -> NameMatch | None:
        """Return the most similar entry; of equally similar ones, one of the same country first."""


class NoWatchLists:
    """Screens no purchase: a channel without names, or one that other channels have screened."""

    def best_match(self, name: str, countries: frozenset[str]) -> NameMatch | None:
        """Return that there is none."""


NO_WATCH_LISTS: Final = NoWatchLists()


def screen(lists: WatchLists, purchase: Purchase) -> NameMatch | None:
    """Return the match of a purchase's name; a purchase without a name is never matched.

    The countries are those of its addresses. They change no similarity: lists know them in part,
    and a listed person may live elsewhere.
    """
    if purchase.name is None:
        return None
    addresses = (purchase.billing_country, purchase.shipping_country)
    return lists.best_match(purchase.name, frozenset(one for one in addresses if one is not None))
