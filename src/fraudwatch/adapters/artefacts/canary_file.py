"""File of the newest canary's trial: the shadow writes it, the console reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.application.promotion.canary_trial import CanaryTrial, TrialUnavailable
from fraudwatch.domain.messages.dead_letter import Refused

FILE_NAME: Final = "canary.json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class _Document:
    format: int
    trial: CanaryTrial


@dataclass(frozen=True, slots=True)
class CanaryFile:
    """``CanaryTrials`` in a file that is replaced as a whole."""

    path: Path

    def read(self) -> CanaryTrial | None:
        try:
            document = decode(_Document, self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, Refused) as error:
            raise self._unavailable(str(error)) from error
        if document.format != _FORMAT:
            raise self._unavailable(f"its format is {document.format}, this code reads {_FORMAT}")
        return document.trial

    def write(self, trial: CanaryTrial) -> None:
        replace_file(self.path, encode(_Document(_FORMAT, trial)))

    def _unavailable(self, reason: str) -> TrialUnavailable:
        return TrialUnavailable(
            f"the canary's counts in {self.path} cannot be read ({reason}); remove the file: the "
            "canary is counted again from its start"
        )
