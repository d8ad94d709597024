"""List, approve, roll back and try models: the model registry, in the lake's environment.

``python -m batch.models ls | show V | restore V | approve V | rollback [V] | canary V PERCENT |
end-canary`` (V: a version) prints exactly one JSON object; ``./fraudwatch model`` makes it
readable. Reading changes nothing, and ``restore`` only puts a version's artefacts back into the
models' folder; an action that changes the champion syncs the registry's alias first, and publishes
the summary that the console shows last.

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
from fraudwatch.adapters.artefacts.registry_summary_file import publish_summary
from fraudwatch.application.promotion.canary import (
    CanaryRefused,
    end_canary,
    start_canary,
)
from fraudwatch.application.promotion.promote import (
    ChampionChanged,
    ModelLifecycle,
    RegistryUnavailable,
    approve,
    roll_back,
)
from fraudwatch.batch_settings import ModelFolderSettings, RegistrySettings
from fraudwatch.domain.models.fitted import BrokenModel
from fraudwatch.domain.training.versions import (
    ModelVersion,
    NoSuchVersion,
    calibration_of_version,
    version_of,
)
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LabelSettings

REFUSED = 1
CHANGES = ("approve", "rollback", "canary", "end-canary")


def run_action(
    models: ModelLifecycle, action: str, version: int | None, share_percent: float = 0.0
) -> Mapping[str, Any]:
    """Run an action and return the JSON object to print.

    Raises:
        CanaryRefused: a canary cannot be started or ended.
        NoSuchVersion: the version does not exist, or is not in the state that the action needs.
        BrokenModel: its artefact cannot be used.
        ChampionChanged: the champion was changed concurrently.
    """
    if action == "ls":
        versions = models.registry.versions()
        active = models.model_store.current()
        return {
            "in_use": active,
            "canary": models.model_store.canary_model(),
            "versions": [to_json(one, active) for one in versions],
        }
    if action == "show":
        shown = version_of(version or 0, models.registry.versions())
        return to_json(shown, models.model_store.current())
    if action == "restore":
        # Its artefacts may have been pruned from the folder since it was trained.
        wanted = version_of(version or 0, models.registry.versions())
        models.registry.restore(wanted.version, models.model_store.folder)
        calibration = calibration_of_version(wanted)
        models.model_store.check(wanted.sha256, calibration)
        shown_json = to_json(wanted, models.model_store.current())
        return {**shown_json, "calibration": calibration}
    if action == "canary":
        tried = start_canary(models, version or 0, share_percent / 100)
        return {**to_json(tried, models.model_store.current()), "share_percent": share_percent}
    if action == "end-canary":
        ended = end_canary(models)
        return to_json(ended, models.model_store.current()) if ended else {"version": None}
    changed = approve(models, version or 0) if action == "approve" else roll_back(models, version)
    return to_json(changed, models.model_store.current())


def to_json(one: ModelVersion, active: str | None) -> dict[str, Any]:
    """Convert a version to the JSON object that is printed."""
    return {**asdict(one), "aliases": list(one.aliases), "is_in_use": one.sha256 == active}


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m batch.models",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, count in (
        ("ls", None),
        ("show", 1),
        ("restore", 1),
        ("approve", 1),
        ("rollback", "?"),
        ("canary", 1),
        ("end-canary", None),
    ):
        action = actions.add_parser(name)
        if count:
            action.add_argument("version", type=int, nargs=None if count == 1 else "?")
        if name == "canary":
            action.add_argument("share_percent", type=float)
    return parser.parse_args(arguments)


def main() -> int:
    """Run one action on the registry and print its result."""
    arguments = parse_arguments()
    configure_logging("models")
    registry = RegistrySettings()
    try:
        models = ModelLifecycle(
            MlflowRegistry(registry.tracking_uri, registry.artifacts_folder),
            ModelFolder(ModelFolderSettings().models_folder, LabelSettings().delay_days),
            lambda: time.time_ns() // 1_000_000,
        )
        document = run_action(
            models,
            arguments.action,
            getattr(arguments, "version", None),
            getattr(arguments, "share_percent", 0.0),
        )
        if arguments.action in CHANGES:
            publish_summary(models)
    except (
        CanaryRefused,
        NoSuchVersion,
        BrokenModel,
        ChampionChanged,
        RegistryUnavailable,
    ) as refused:
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    sys.stdout.write(json.dumps(document) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
