"""Model store of the stream's classifier: the active model, checks, and activation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from fraudwatch.adapters.artefacts.model_artefact import locked_pointer, point_to
from fraudwatch.adapters.artefacts.reloadable_models import load_models
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.active_models import check_outputs
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """See :class:`~fraudwatch.application.promotion.promote.ModelStore`."""

    folder: Path

    def current(self) -> str | None:
        """Return the hash that the pointer names, whether or not the artefact is readable."""
        with locked_pointer(self.folder) as pointer:
            return pointer.get(ModelKind.XGBOOST)

    def check(self, sha256: str) -> None:
        """Check a model as the detector does before loading it.

        Raises:
            BrokenModel: the detector would refuse it.
        """
        try:
            found = load_models(self.folder, json.dumps({ModelKind.XGBOOST: sha256}).encode())
        except FileNotFoundError as error:
            raise BrokenModel(str(error)) from error
        if found.fraud is None or found.fraud.about.features_version != features_version():
            raise BrokenModel(
                f"model {sha256[:12]} uses other features than today's, so the stream would "
                "refuse it; train a new one"
            )
        check_outputs(found)

    def activate(self, sha256: str) -> None:
        """Move the pointer; other kinds of models stay unchanged."""
        point_to(self.folder, ModelKind.XGBOOST, sha256)
