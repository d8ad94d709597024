"""File of the newest event times by source: ingest writes it, a replay reads it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.durable_file import replace_file

log = logging.getLogger(__name__)

FILE: Final = "newest_events.json"


@dataclass(frozen=True, slots=True)
class NewestEventsFile:
    """The file in ingest's folder."""

    folder: Path

    @property
    def path(self) -> Path:
        """Return its path."""
        return self.folder / FILE

    def read(self) -> dict[str, int]:
        """Read it; empty where there is none, or a broken one: it only serves a warning."""
        try:
            document = json.loads(self.path.read_bytes())
            return {str(source): int(at_ms) for source, at_ms in document.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError) as error:
            log.warning("%s is damaged (%s); it is begun again", self.path, error)
            return {}

    def write(self, newest_ms: Mapping[str, int]) -> None:
        """Replace it, durably."""
        replace_file(self.path, json.dumps(dict(sorted(newest_ms.items()))).encode())
