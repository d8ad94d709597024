"""File of the newest canary's trial: the shadow writes it, the console reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.versioned_document import UnreadableDocument, VersionedDocument
from fraudwatch.application.promotion.canary_trial import CanaryTrial, TrialUnavailable

FILE_NAME: Final = "canary.json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class CanaryFile:
    """``CanaryTrials`` in a file that is replaced as a whole."""

    path: Path

    def read(self) -> CanaryTrial | None:
        try:
            return self._document().read()
        except UnreadableDocument as error:
            raise TrialUnavailable(
                f"the canary's counts in {self.path} cannot be read ({error}); remove the file: "
                "the canary is counted again from its start"
            ) from error

    def write(self, trial: CanaryTrial) -> None:
        self._document().write(trial)

    def _document(self) -> VersionedDocument[CanaryTrial]:
        return VersionedDocument(self.path, "trial", CanaryTrial, _FORMAT)
