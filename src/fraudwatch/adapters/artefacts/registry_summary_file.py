"""File of the model registry's summary, beside the models: jobs write it, the console reads it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.application.promotion.model_changes import SummaryUnavailable
from fraudwatch.application.promotion.promote import ModelLifecycle
from fraudwatch.application.promotion.registry_summary import RegistrySummary, summarise
from fraudwatch.domain.messages.dead_letter import Refused

FILE_NAME: Final = "registry.json"
_FORMAT: Final = 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Document:
    format: int
    registry: RegistrySummary


@dataclass(frozen=True, slots=True)
class RegistrySummaryFile:
    """``RegistrySummaries`` in a file that is replaced as a whole."""

    path: Path

    def read(self) -> RegistrySummary | None:
        try:
            document = decode(_Document, self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, Refused) as error:
            raise self._unavailable(str(error)) from error
        if document.format != _FORMAT:
            raise self._unavailable(f"its format is {document.format}, this code reads {_FORMAT}")
        return document.registry

    def write(self, summary: RegistrySummary) -> None:
        """Replace the file.

        Raises:
            OSError: it cannot be written; the former one stays.
        """
        replace_file(self.path, encode(_Document(_FORMAT, summary)))

    def _unavailable(self, reason: str) -> SummaryUnavailable:
        return SummaryUnavailable(
            f"the summary of the model registry in {self.path} cannot be read ({reason}); the next "
            "run of train_model writes it anew"
        )


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
