"""Manifests of extracted days in the lake; each is written last, so it marks a complete day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from fraudwatch.application.extract.lake_files import LakeFiles, content_of
from fraudwatch.domain.lake.day_extract import MANIFEST_NAME, ExtractManifest
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.lake import extract_folder


@dataclass(frozen=True, slots=True)
class Manifests:
    """Reads manifests; ``decode`` raises ``Refused`` for an invalid one."""

    files: LakeFiles
    decode: Callable[[bytes], ExtractManifest]

    def of(self, day: date) -> ExtractManifest | None:
        """Return the manifest of a day; None when it is missing or unreadable."""
        content = content_of(self.files, f"{extract_folder(day)}/{MANIFEST_NAME}")
        if content is None:
            return None
        try:
            return self.decode(content)
        except Refused:
            return None

    def before(self, day: date, days: int) -> list[ExtractManifest]:
        """Return the existing manifests of the ``days`` before ``day``, newest first."""
        earlier = (self.of(day - timedelta(days=back)) for back in range(1, days + 1))
        return [manifest for manifest in earlier if manifest is not None]
