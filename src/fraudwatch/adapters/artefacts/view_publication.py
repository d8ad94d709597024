"""Publish risk views: write the file, then ``views.json``, the list of active views.

The list is replaced as a whole, oldest first: the last 49 hours, one view an hour. A rebuilt hour
replaces its view; files that the list no longer names are removed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from fraudwatch.adapters.artefacts.hashed_files import SHA256
from fraudwatch.adapters.artefacts.view_artefact import VIEW_FILES, view_bytes
from fraudwatch.adapters.durable_file import lock_file, replace_file
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.domain.views.catalogue import KEPT_VIEWS, VALID_AFTER_MS, views_version
from fraudwatch.domain.views.published import Published
from fraudwatch.domain.views.view import BrokenView, RiskView

LIST_NAME: Final = "views.json"
NOTHING_PUBLISHED: Final = b"[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedView:
    """Entry of the list of published views."""

    sha256: str
    built_until_ms: int
    views_version: str
    label_delay_ms: int | None = None  # None: a list from before views had it

    def __post_init__(self) -> None:
        if not SHA256.fullmatch(self.sha256):
            raise BrokenView("an entry names no SHA-256 in 64 lower-case hexadecimal digits")
        if not isinstance(self.built_until_ms, int) or self.built_until_ms % HOUR_MS:
            raise BrokenView("an entry does not end with an hour")
        if not isinstance(self.label_delay_ms, int | None):
            raise BrokenView("the label delay of an entry is no number")

    @property
    def published(self) -> Published:
        """View with its start of validity, for the selection rule."""
        return Published(self.sha256, self.built_until_ms + VALID_AFTER_MS)


def publish(folder: Path, view: RiskView) -> str:
    """Write a view, add it to the list, and return its hash.

    Raises:
        BrokenView: it is too big, or the current list is invalid.
    """
    sha256 = VIEW_FILES.write(folder, view_bytes(view))
    new = ListedView(
        sha256=sha256,
        built_until_ms=view.built_until_ms,
        views_version=views_version(),
        label_delay_ms=view.label_delay_ms,
    )
    path = folder / LIST_NAME
    with lock_file(path):
        known = parse_list(path.read_bytes() if path.exists() else NOTHING_PUBLISHED)
        others = [one for one in known if one.built_until_ms != new.built_until_ms]
        kept = sorted([*others, new], key=lambda one: one.built_until_ms)[-KEPT_VIEWS:]
        replace_file(path, f"{json.dumps([asdict(one) for one in kept], indent=1)}\n".encode())
        VIEW_FILES.keep_only(folder, {one.sha256 for one in kept})
    return sha256


def parse_list(content: bytes) -> list[ListedView]:
    """Parse the list of published views of today's catalogue version, oldest first.

    Views of an older catalogue version are dropped: today's rules and models cannot use them.
    Those of another label delay stay in the list: a detector with that setting uses them.

    Raises:
        BrokenView: the document is not a valid list.
    """
    try:
        document: Any = json.loads(content)
        listed = [ListedView(**one) for one in document]
    except BrokenView as error:
        raise BrokenView(
            f"{LIST_NAME}: {error}; remove the file and build the views again"
        ) from None
    except (ValueError, TypeError) as error:
        raise BrokenView(
            f"{LIST_NAME} is no list of views ({type(error).__name__}); remove it and build the "
            "views again"
        ) from error
    hours = [one.built_until_ms for one in listed]
    if hours != sorted(set(hours)) or len(hours) > KEPT_VIEWS:
        raise BrokenView(
            f"{LIST_NAME} must name at most {KEPT_VIEWS} views, oldest first, one an hour; remove "
            "it and build the views again"
        )
    return [one for one in listed if one.views_version == views_version()]
