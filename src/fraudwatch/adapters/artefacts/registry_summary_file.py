"""File of the model registry's summary, beside the models: jobs write it, the console reads it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.versioned_document import VersionedDocument
from fraudwatch.application.promotion.model_changes import SummaryUnavailable
from fraudwatch.application.promotion.promote import ModelLifecycle
from fraudwatch.application.promotion.registry_summary import RegistrySummary, summarise

FILE_NAME: Final = "registry.json"
_FORMAT: Final = 1

log = logging.getLogger(__name__)


def registry_summary_file(path: Path) -> VersionedDocument[RegistrySummary]:
    """Return the ``RegistrySummaries`` in a file that is replaced as a whole."""

    def unreadable(cause: str) -> SummaryUnavailable:
        return SummaryUnavailable(
            f"the summary of the model registry in {path} cannot be read ({cause}); the next run "
            "of train_model writes it anew"
        )

    return VersionedDocument(path, "registry", RegistrySummary, _FORMAT, unreadable)


def publish_summary(models: ModelLifecycle) -> None:
    """Write the summary after a change of the registry, which stays valid without it."""
    try:
        registry_summary_file(models.model_store.folder / FILE_NAME).write(summarise(models))
    except OSError as error:
        log.warning(
            "the console shows the models as they were before, because their summary cannot be "
            "written (%s); the next run of train_model writes it",
            error,
        )
