"""File of the model registry's summary, beside the models: jobs write it, the console reads it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.versioned_document import UnreadableDocument, VersionedDocument
from fraudwatch.application.promotion.model_changes import SummaryUnavailable
from fraudwatch.application.promotion.promote import ModelLifecycle
from fraudwatch.application.promotion.registry_summary import RegistrySummary, summarise

FILE_NAME: Final = "registry.json"
_FORMAT: Final = 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RegistrySummaryFile:
    """``RegistrySummaries`` in a file that is replaced as a whole."""

    path: Path

    def read(self) -> RegistrySummary | None:
        try:
            return self._document().read()
        except UnreadableDocument as error:
            raise SummaryUnavailable(
                f"the summary of the model registry in {self.path} cannot be read ({error}); the "
                "next run of train_model writes it anew"
            ) from error

    def write(self, summary: RegistrySummary) -> None:
        """Replace the file.

        Raises:
            OSError: it cannot be written; the former one stays.
        """
        self._document().write(summary)

    def _document(self) -> VersionedDocument[RegistrySummary]:
        return VersionedDocument(self.path, "registry", RegistrySummary, _FORMAT)


def publish_summary(models: ModelLifecycle) -> None:
    """Write the summary after a change of the registry, which stays valid without it."""
    try:
        RegistrySummaryFile(models.model_store.folder / FILE_NAME).write(summarise(models))
    except OSError as error:
        log.warning(
            "the console shows the models as they were before, because their summary cannot be "
            "written (%s); the next run of train_model writes it",
            error,
        )
