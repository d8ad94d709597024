"""Which models a batch is judged by: the pointer that training moves, taken up between batches.

The artefacts in use are copied beside the log of uses, so that a batch which is run again after a
crash finds them, whatever happened to the place they came from. Copies that the last uses do not
name are removed when a new one comes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.forest_artefact import forest_model
from fraudwatch.adapters.artefacts.model_artefact import (
    MODEL_FILES,
    POINTER_NAME,
    parse_pointer,
    read_artefact,
)
from fraudwatch.adapters.artefacts.versioned_reload import BookOfUses
from fraudwatch.domain.models.active_models import ActiveModels, check_outputs
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind, ModelMetadata

_NO_MODEL = b"{}"
# Spark runs only its last batch again, so one is needed; a restored checkpoint may be older.
KEPT_USES: Final = 5


class ModelBook:
    """The folder that training writes to, and the one that remembers what was used when.

    As long as nobody has pointed to a model there is none. ``on_look`` is told after each look at a
    changed pointer whether it is usable.
    """

    def __init__(
        self, source: Path, folder: Path, features_version: str, on_look: Callable[[bool], None]
    ) -> None:
        self._source, self._folder, self._features_version = source, folder, features_version
        self._book = BookOfUses(
            source=source / POINTER_NAME,
            folder=folder,
            suffix=".json",
            take_up=self._take_up,
            reopen=lambda content: load_models(folder, content),
            name_of=_name_of,
            on_look=on_look,
            before_any=_NO_MODEL,
        )

    def models_for(self, batch_id: int, *, is_rerun: bool) -> ActiveModels:
        """The models of a batch; one that begins for the first time may bring new ones in."""
        return self._book.used_in(batch_id, is_rerun=is_rerun)

    def _take_up(self, pointer: bytes) -> ActiveModels:
        for sha256 in parse_pointer(pointer).values():
            MODEL_FILES.copy(self._source, self._folder, sha256)
        models = load_models(self._folder, pointer)
        for model in (models.anomaly, models.fraud):
            if model is not None:
                self._expect_todays_features(model.version, model.about)
        check_outputs(models)
        self._forget_all_before(pointer)
        return models

    def _forget_all_before(self, pointer: bytes) -> None:
        """Nothing of what is used until the new use is on disk goes: a crash may come between."""
        needed = [*self._book.latest(KEPT_USES - 1), pointer]
        MODEL_FILES.keep_only(
            self._folder, {sha256 for one in needed for sha256 in parse_pointer(one).values()}
        )

    def _expect_todays_features(self, version: str, about: ModelMetadata) -> None:
        if about.features_version != self._features_version:
            raise BrokenModel(
                f"model {version} was fitted on features {about.features_version} and today's are "
                f"{self._features_version}, which may mean something else; fit it again"
            )


def load_models(folder: Path, pointer: bytes) -> ActiveModels:
    """The models that a pointer names, from the artefacts in a folder.

    Raises:
        FileNotFoundError: an artefact is not there.
        BrokenModel: the pointer or an artefact cannot be used.
    """
    named = parse_pointer(pointer)
    found = ActiveModels()
    if sha256 := named.get(ModelKind.ISOLATION_FOREST):
        found = ActiveModels(anomaly=forest_model(read_artefact(folder, sha256), sha256))
    if sha256 := named.get(ModelKind.XGBOOST):
        # A process without such a model needs no such engine.
        from fraudwatch.adapters.artefacts.xgboost_model import xgboost_model

        fraud = xgboost_model(read_artefact(folder, sha256), sha256)
        found = ActiveModels(anomaly=found.anomaly, fraud=fraud)
    return found


def _name_of(models: ActiveModels) -> str:
    return f"isolation forest {models.anomaly_version}, fraud model {models.model_version}"
