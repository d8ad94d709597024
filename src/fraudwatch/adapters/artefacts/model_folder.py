"""The folder that the stream takes its supervised model from: what is in use, and what may be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from fraudwatch.adapters.artefacts.model_artefact import held_pointer, point_to
from fraudwatch.adapters.artefacts.reloadable_models import load_models
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.active_models import check_outputs
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """See :class:`~fraudwatch.application.promotion.promote.ServedModels`."""

    folder: Path

    def in_use(self) -> str | None:
        """The hash that the pointer names, readable or not."""
        with held_pointer(self.folder) as pointer:
            return pointer.get(ModelKind.XGBOOST)

    def check(self, sha256: str) -> None:
        """Everything that the detector asks before it takes a model up.

        Raises:
            BrokenModel: it would be refused.
        """
        try:
            found = load_models(self.folder, json.dumps({ModelKind.XGBOOST: sha256}).encode())
        except FileNotFoundError as error:
            raise BrokenModel(str(error)) from error
        if found.fraud is None or found.fraud.about.features_version != features_version():
            raise BrokenModel(
                f"model {sha256[:12]} takes other features than today's, so the stream would "
                "refuse it; train a new one"
            )
        check_outputs(found)

    def use(self, sha256: str) -> None:
        """Move the pointer; other kinds of models stay as they are."""
        point_to(self.folder, ModelKind.XGBOOST, sha256)
