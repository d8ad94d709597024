"""Model registry in MLflow, over its SQL store: SQLite by default, or PostgreSQL.

Each training is one run (parameters, metrics over the folds, documents, figures, artefacts), and
each model one version of the registered model. The store is opened directly: no server, no port.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fraudwatch.adapters.artefacts.registered_files import file_names
from fraudwatch.application.promotion.promote import PROMOTED_AT, RegistryUnavailable
from fraudwatch.domain.training.curves import CURVES
from fraudwatch.domain.training.versions import (
    Alias,
    ModelVersion,
    TrainingRecord,
    tags_of,
    version_of,
    with_sha256,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME: Final = "fraudwatch"
_SHA256: Final = "sha256"
_MODEL_FOLDER: Final = "model"


class MlflowRegistry:
    """See :class:`~fraudwatch.application.promotion.promote.ModelRegistry`."""

    def __init__(self, tracking_uri: str, artifacts_folder: Path) -> None:
        # MLflow sends usage data by default.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        _make_folder_of(tracking_uri)
        self._artifacts_folder = artifacts_folder
        try:
            self._client: MlflowClient = MlflowClient(tracking_uri, registry_uri=tracking_uri)
        except (MlflowException, SQLAlchemyError) as error:
            # The error's text may contain the address, and with it a password.
            raise RegistryUnavailable(
                f"the model registry cannot be opened ({type(error).__name__}), so nothing was "
                "changed; check that MLFLOW_TRACKING_URI in .env is right and that the database "
                "answers"
            ) from None

    def versions(self) -> Sequence[ModelVersion]:
        found = self._client.search_model_versions(f"name='{NAME}'", max_results=1_000)
        if not found:
            return []
        aliases = self._client.get_registered_model(NAME).aliases
        made = [
            ModelVersion(
                version=int(one.version),
                sha256=one.tags.get(_SHA256, ""),
                created_at_ms=int(one.creation_timestamp),
                aliases=tuple(
                    sorted(name for name, of in aliases.items() if int(of) == int(one.version))
                ),
                promoted_at_ms=int(at_ms) if (at_ms := one.tags.get(PROMOTED_AT)) else None,
                tags=dict(one.tags),
                metrics=dict(self._client.get_run(str(one.run_id)).data.metrics),
            )
            for one in found
        ]
        return sorted(made, key=lambda one: one.version, reverse=True)

    def register(self, record: TrainingRecord, folder: Path) -> int:
        if known := with_sha256(record.sha256, self.versions()):
            return known.version
        run_id = self._run_of(record, folder)
        if not self._client.search_registered_models(f"name='{NAME}'"):
            self._client.create_registered_model(NAME)
        source = f"{self._client.get_run(run_id).info.artifact_uri}/{_MODEL_FOLDER}"
        tags = {**tags_of(record), _SHA256: record.sha256}
        made = self._client.create_model_version(NAME, source=source, run_id=run_id, tags=tags)
        return int(made.version)

    def set_alias(self, alias: Alias, version: int | None) -> None:
        if version is not None:
            self._client.set_registered_model_alias(NAME, str(alias), str(version))
        elif self._client.search_registered_models(f"name='{NAME}'"):
            self._client.delete_registered_model_alias(NAME, str(alias))

    def add_facts(self, version: int, facts: Mapping[str, str]) -> None:
        for key, value in facts.items():
            self._client.set_model_version_tag(NAME, str(version), key, value)

    def documents(self, version: int, names: Sequence[str]) -> Mapping[str, Any]:
        run_id = str(self._client.get_model_version(NAME, str(version)).run_id)
        stored = {one.path for one in self._client.list_artifacts(run_id)}
        return {
            name: json.loads(Path(self._client.download_artifacts(run_id, name)).read_bytes())
            for name in names
            if name in stored
        }

    def restore(self, version: int, folder: Path) -> None:
        for name in file_names(version_of(version, self.versions())):
            if not (folder / name).exists():
                self._fetch(version, folder, name)

    def _fetch(self, version: int, folder: Path, file_name: str) -> None:
        run_id = str(self._client.get_model_version(NAME, str(version)).run_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fetched = self._client.download_artifacts(run_id, f"{_MODEL_FOLDER}/{file_name}")
        # A local store returns its own file: it is copied, never moved.
        draft = folder / f".{file_name}"
        draft.write_bytes(Path(fetched).read_bytes())
        draft.replace(folder / file_name)

    def _run_of(self, record: TrainingRecord, folder: Path) -> str:
        experiment = self._client.get_experiment_by_name(NAME)
        experiment_id = (
            experiment.experiment_id
            if experiment
            else self._client.create_experiment(NAME, self._artifacts_folder.as_uri())
        )
        run_id: str = self._client.create_run(experiment_id, tags=dict(record.tags)).info.run_id
        for key, value in record.parameters.items():
            self._client.log_param(run_id, key, value)
        for key, number in record.metrics.items():
            if not math.isnan(number):
                self._client.log_metric(run_id, key, number)
        for file_name, document in record.documents.items():
            self._client.log_dict(run_id, document, file_name)
        if CURVES in record.documents:
            from fraudwatch.adapters.artefacts.curve_figures import figures_of

            for file_name, figure in figures_of(record.documents[CURVES]).items():
                self._client.log_figure(run_id, figure, file_name)
        for name in file_names(record):
            self._client.log_artifact(run_id, str(folder / name), _MODEL_FOLDER)
        self._client.set_terminated(run_id)
        return run_id


def _make_folder_of(tracking_uri: str) -> None:
    """Create the folder of a SQLite file, which SQLite does not."""
    if tracking_uri.startswith("sqlite:///"):
        Path(tracking_uri.removeprefix("sqlite:///")).parent.mkdir(
            parents=True, exist_ok=True, mode=0o700
        )
