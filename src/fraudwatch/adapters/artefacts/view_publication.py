"""Publishing risk views: first the file, then ``views.json``, which lists those that count.

The list is replaced as a whole, oldest first: the last 49 hours, one view an hour. An hour that is
built again replaces its view; what the list no longer names is removed.
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
class Listed:
    """One line of the list."""

    sha256: str
    built_until_ms: int
    views_version: str

    def __post_init__(self) -> None:
        if not SHA256.fullmatch(self.sha256):
            raise BrokenView("an entry names no SHA-256 in 64 small hexadecimal digits")
        if not isinstance(self.built_until_ms, int) or self.built_until_ms % HOUR_MS:
            raise BrokenView("an entry does not end with an hour")

    @property
    def published(self) -> Published:
        """As the rule of selection takes it."""
        return Published(self.sha256, self.built_until_ms + VALID_AFTER_MS)


def publish(folder: Path, view: RiskView) -> str:
    """Write a view and let it be used; its hash.

    Raises:
        BrokenView: it is too big, or the list as it stands is broken.
    """
    sha256 = VIEW_FILES.write(folder, view_bytes(view))
    new = Listed(sha256=sha256, built_until_ms=view.built_until_ms, views_version=views_version())
    path = folder / LIST_NAME
    with lock_file(path):
        known = parse_list(path.read_bytes() if path.exists() else NOTHING_PUBLISHED)
        others = [one for one in known if one.built_until_ms != new.built_until_ms]
        kept = sorted([*others, new], key=lambda one: one.built_until_ms)[-KEPT_VIEWS:]
        replace_file(path, f"{json.dumps([asdict(one) for one in kept], indent=1)}\n".encode())
        VIEW_FILES.keep_only(folder, {one.sha256 for one in kept})
    return sha256


def parse_list(content: bytes) -> list[Listed]:
    """What is published in the words of today's catalogue, oldest first.

    What an older catalogue meant by a view is not for today's rules and models.

    Raises:
        BrokenView: the document is no such list.
    """
    try:
        document: Any = json.loads(content)
        listed = [Listed(**one) for one in document]
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
