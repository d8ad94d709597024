"""Lists and changes what the stream judges by: the registry's models, in the lake's environment.

``python -m batch.models ls | show VERSION | approve VERSION | rollback [VERSION]`` prints exactly
one JSON object; ``./fraudwatch model`` makes it readable. Reading mends nothing; whatever changes
the champion puts names right first.

Example: python -m batch.models rollback
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fraudwatch.adapters.artefacts.mlflow_registry import MlflowRegistry
from fraudwatch.adapters.artefacts.model_folder import ModelFolder
from fraudwatch.application.promotion.promote import (
    ChampionChanged,
    ModelLifecycle,
    RegistryUnavailable,
    approve,
    roll_back,
)
from fraudwatch.batch_settings import ChallengerSettings, RegistrySettings
from fraudwatch.domain.models.fitted import BrokenModel
from fraudwatch.domain.training.versions import ModelVersion, NoSuchVersion, version_of
from fraudwatch.observability.logs import configure_logging

REFUSED = 1


def answer(models: ModelLifecycle, deed: str, version: int | None) -> Mapping[str, Any]:
    """What was asked for, or what was done.

    Raises:
        NoSuchVersion: the version is not there, or not in the state that this needs.
        BrokenModel: it can no longer be used.
        ChampionChanged: somebody else was quicker.
    """
    if deed == "ls":
        found = models.registry.versions()
        in_use = models.model_store.current()
        return {"in_use": in_use, "versions": [told(one, in_use) for one in found]}
    if deed == "show":
        shown = version_of(version or 0, models.registry.versions())
        return told(shown, models.model_store.current())
    changed = approve(models, version or 0) if deed == "approve" else roll_back(models, version)
    return told(changed, models.model_store.current())


def told(one: ModelVersion, in_use: str | None) -> dict[str, Any]:
    """A version as it is printed."""
    return {**asdict(one), "aliases": list(one.aliases), "is_in_use": one.sha256 == in_use}


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m batch.models",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    deeds = parser.add_subparsers(dest="deed", required=True)
    for name, wanted in (("ls", None), ("show", 1), ("approve", 1), ("rollback", "?")):
        deed = deeds.add_parser(name)
        if wanted:
            deed.add_argument("version", type=int, nargs=None if wanted == 1 else "?")
    return parser.parse_args(arguments)


def main() -> int:
    """Wire the registry, do one deed and print its answer."""
    asked = parsed()
    configure_logging("models")
    registry = RegistrySettings()
    try:
        models = ModelLifecycle(
            MlflowRegistry(registry.tracking_uri, registry.artifacts_folder),
            ModelFolder(ChallengerSettings().models_folder),
            lambda: time.time_ns() // 1_000_000,
        )
        found = answer(models, asked.deed, getattr(asked, "version", None))
    except (NoSuchVersion, BrokenModel, ChampionChanged, RegistryUnavailable) as refused:
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
