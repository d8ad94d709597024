"""Memory twin of the model registry, under the same contract."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fraudwatch.adapters.artefacts.registered_files import file_names
from fraudwatch.application.promotion.promote import PROMOTED_AT
from fraudwatch.domain.training.versions import (
    Alias,
    ModelVersion,
    TrainingRecord,
    tags_of,
    version_of,
    with_sha256,
)


class MemoryRegistry:
    """``ModelRegistry`` with versions in a list and artefacts in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._versions: list[ModelVersion] = []
        self._documents: dict[int, Mapping[str, Any]] = {}

    def versions(self) -> Sequence[ModelVersion]:
        return list(reversed(self._versions))

    def register(self, record: TrainingRecord, folder: Path) -> int:
        if known := with_sha256(record.sha256, self._versions):
            return known.version
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in file_names(record):
            shutil.copyfile(folder / name, self._folder / name)
        number = len(self._versions) + 1
        made = ModelVersion(
            version=number,
            sha256=record.sha256,
            created_at_ms=number,
            tags=tags_of(record),
            metrics=dict(record.metrics),
        )
        self._versions.append(made)
        self._documents[number] = dict(record.documents)
        return number

    def set_alias(self, alias: Alias, version: int | None) -> None:
        self._versions = [
            replace(one, aliases=_with(one.aliases, alias, given=one.version == version))
            for one in self._versions
        ]

    def add_facts(self, version: int, facts: Mapping[str, str]) -> None:
        known = version_of(version, self._versions)
        at_ms = facts.get(PROMOTED_AT)
        self._versions[version - 1] = replace(
            known,
            tags={**known.tags, **facts},
            promoted_at_ms=int(at_ms) if at_ms else known.promoted_at_ms,
        )

    def documents(self, version: int, names: Sequence[str]) -> Mapping[str, Any]:
        found = self._documents[version_of(version, self._versions).version]
        return {name: found[name] for name in names if name in found}

    def restore(self, version: int, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in file_names(version_of(version, self._versions)):
            if not (folder / name).exists():
                shutil.copyfile(self._folder / name, folder / name)


def _with(aliases: tuple[str, ...], alias: Alias, *, given: bool) -> tuple[str, ...]:
    others = tuple(one for one in aliases if one != alias)
    return (*others, str(alias)) if given else others
