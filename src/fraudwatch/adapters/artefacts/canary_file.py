"""File of the newest canary's trial: the shadow writes it, the console reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.versioned_document import VersionedDocument
from fraudwatch.application.promotion.canary_trial import CanaryTrial, TrialUnavailable

FILE_NAME: Final = "canary.json"
_FORMAT: Final = 1


def canary_file(path: Path) -> VersionedDocument[CanaryTrial]:
    """Return the ``CanaryTrials`` in a file that is replaced as a whole."""

    def unreadable(cause: str) -> TrialUnavailable:
        return TrialUnavailable(
            f"the canary's counts in {path} cannot be read ({cause}); remove the file: the canary "
            "is counted again from its start"
        )

    return VersionedDocument(path, "trial", CanaryTrial, _FORMAT, unreadable)
