"""Record which code begins the detector's micro-batches, so that no other code runs one again.

A supervisor restarts a crashed detector with whatever code the checkout has by then. A micro-batch
that the crash cut off may have published verdicts, and other code could score it differently.
"""

from __future__ import annotations

import json
from pathlib import Path

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.adapters.lake.spark_checkpoint import HasStateFolder, begun_batch
from fraudwatch.domain.features.version import features_version
from fraudwatch.home_format import HOME_FORMAT, UNRECORDED_FORMAT

FILE = "begun_by.json"


class BegunByOtherCode(RuntimeError):
    """A micro-batch is begun and not committed, and code of another version began it."""


def claim_checkpoint(settings: HasStateFolder) -> None:
    """Record that this code begins the micro-batches from now on.

    Raises:
        BegunByOtherCode: code of another version began one that is not committed.
    """
    begun = begun_batch(settings)
    found = _recorded(settings.state_folder)
    if begun is not None and found != _ours():
        raise BegunByOtherCode(
            f"micro-batch {begun} was begun by code of format {found['format']}, features version "
            f"{found['features_version']}, and not committed: this code could score its purchases "
            "differently, so the detector does not start; start the version that began it, then "
            "run ./fraudwatch upgrade while it runs"
        )
    record_owner(settings.state_folder)


def record_owner(state_folder: Path) -> None:
    """Record this code as the one that may run a begun micro-batch again."""
    replace_file(state_folder / FILE, json.dumps(_ours()).encode())


def _ours() -> dict[str, object]:
    return {"format": HOME_FORMAT, "features_version": features_version()}


def _recorded(state_folder: Path) -> dict[str, object]:
    path = state_folder / FILE
    if not path.exists():
        return {"format": UNRECORDED_FORMAT, "features_version": "unknown"}
    found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return found
