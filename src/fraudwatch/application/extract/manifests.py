"""Manifests of extracted days, as they lie in the lake: written last, so there is one or no day."""

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
    """The manifests of a lake; ``decode`` raises ``Refused`` for what is none."""

    files: LakeFiles
    decode: Callable[[bytes], ExtractManifest]

    def of(self, day: date) -> ExtractManifest | None:
        """That of a day; None when the day was not extracted, or is unreadable."""
        content = content_of(self.files, f"{extract_folder(day)}/{MANIFEST_NAME}")
        if content is None:
            return None
        try:
            return self.decode(content)
        except Refused:
            return None

    def before(self, day: date, days: int) -> list[ExtractManifest]:
        """Those of the days before, as far as there are any."""
        earlier = (self.of(day - timedelta(days=back)) for back in range(1, days + 1))
        return [manifest for manifest in earlier if manifest is not None]
