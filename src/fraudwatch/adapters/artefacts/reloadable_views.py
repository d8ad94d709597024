"""Hot reload of risk views: the list that the hourly job replaces, read between micro-batches.

The files are copied beside the reload journal, so that a micro-batch replayed after a crash finds
the same views. Only the few views that current purchases need are in memory.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.hashed_files import HashedFiles
from fraudwatch.adapters.artefacts.versioned_reload import ReloadJournal
from fraudwatch.adapters.artefacts.view_artefact import VIEW_FILES, view_of
from fraudwatch.adapters.artefacts.view_publication import (
    LIST_NAME,
    NOTHING_PUBLISHED,
    ListedView,
    parse_list,
)
from fraudwatch.domain.views.published import NO_VIEWS, VERSION_LENGTH, RiskViews
from fraudwatch.domain.views.view import BrokenView, RiskView

# Spark replays only its last batch, so one is needed; a restored checkpoint may be older.
KEPT_VERSIONS: Final = 5
# Live purchases need the newest and the one before it; late ones a few more.
OPEN_VIEWS: Final = 4
log = logging.getLogger(__name__)
_LISTS: Final = HashedFiles("list of views", ".json", "publish a view", BrokenView)


class ReloadableViews:
    """Watches the folder that the hourly job writes to, and journals the views of each batch.

    Without a publication there is no view. Views of another label delay are ignored. ``on_reload``
    is called after each read of a changed list with whether it can be used, ``on_newest`` with the
    end of the newest view's hour (epoch seconds).
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        label_delay_ms: int,
        on_reload: Callable[[bool], None],
        on_newest: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._on_newest = on_newest
        self._source, self._folder = source, folder
        self._label_delay_ms, self._has_ignored_all = label_delay_ms, False
        self._open: Callable[[str], RiskView] = lru_cache(OPEN_VIEWS)(self._read)
        self._checked: set[str] = set()
        self._journal = ReloadJournal(
            source=source / LIST_NAME,
            folder=folder,
            suffix=".json",
            load=self._load,
            reopen=lambda content: self._views(self._of_this_delay(parse_list(content))),
            name_of=_name_of,
            on_reload=lambda is_valid: on_reload(is_valid and not self._has_ignored_all),
            initial_content=NOTHING_PUBLISHED,
        )

    def views_for(self, batch_id: int, *, is_rerun: bool) -> RiskViews:
        """Return the risk views for a micro-batch; a first run may load new ones."""
        return self._journal.version_for_batch(batch_id, is_rerun=is_rerun)

    @property
    def in_use(self) -> RiskViews:
        """The views of the last micro-batch."""
        return self._journal.opened or NO_VIEWS

    def _load(self, content: bytes) -> RiskViews:
        all_listed = parse_list(content)
        listed = self._of_this_delay(all_listed)
        self._has_ignored_all = bool(all_listed and not listed)
        if ignored := len(all_listed) - len(listed):
            log.warning(
                "%d of %d published risk views are of another label delay than %d ms and are not "
                "used; the next hourly run of build_risk_views builds one of this delay",
                ignored, len(all_listed), self._label_delay_ms,
            )  # fmt: skip
        for one in listed:
            VIEW_FILES.copy(self._source, self._folder, one.sha256)
            self._check(one)
        self._prune(content)
        return self._views(listed)

    def _of_this_delay(self, listed: list[ListedView]) -> list[ListedView]:
        return [one for one in listed if one.label_delay_ms == self._label_delay_ms]

    def _check(self, listed: ListedView) -> None:
        """Open a view once, so that a broken one is found before a purchase needs it."""
        if listed.sha256 not in self._checked:
            view = self._open(listed.sha256)
            listed_as = (listed.built_until_ms, listed.label_delay_ms)
            if (view.built_until_ms, view.label_delay_ms) != listed_as:
                raise BrokenView(
                    f"the view {listed.sha256[:VERSION_LENGTH]} is of another hour or label delay "
                    "than in the list; build it again"
                )
            self._checked.add(listed.sha256)

    def _prune(self, content: bytes) -> None:
        """Remove old copies; those in use before the new entry stay, in case of a crash."""
        needed = [*self._journal.latest(KEPT_VERSIONS - 1), content]
        views = {one.sha256 for some in needed for one in parse_list(some)}
        VIEW_FILES.keep_only(self._folder, views)
        _LISTS.keep_only(self._folder, {hashlib.sha256(some).hexdigest() for some in needed})
        self._checked &= views

    def _views(self, listed: list[ListedView]) -> RiskViews:
        if listed:
            self._on_newest(listed[-1].built_until_ms / 1000)
        return RiskViews(tuple(one.published for one in listed), self._open)

    def _read(self, sha256: str) -> RiskView:
        try:
            return view_of(VIEW_FILES.read(self._folder, sha256))
        except BrokenView as error:
            raise BrokenView(f"the view {sha256[:VERSION_LENGTH]}: {error}") from error


def _name_of(views: RiskViews) -> str:
    newest = views.published[-1].sha256[:VERSION_LENGTH] if views.published else "none"
    return f"{len(views.published)} risk views, the newest {newest}"
