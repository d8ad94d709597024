"""Compute the bounds of a candidate policy under each calibration that live verdicts name."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fraudwatch.adapters.artefacts.calibration_artefact import read_calibration
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.policy.bounds import Bounds, bounds_of, check_floors
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from spark_jobs.reconcile.artefact_resolver import find_calibrations

log = logging.getLogger(__name__)


def candidate_bounds(
    policy: Policy, named: Iterable[str], folders: Iterable[Path]
) -> dict[str, Bounds]:
    """Return the bounds by calibration; one whose artefact is gone is logged and left out.

    Raises:
        BrokenPolicy: rules with a floor alone exceed the budget of alerts under one of them.
    """
    wanted, searched = set(named), tuple(folders)
    found = {
        version: read_calibration(folder, sha256)
        for version, (sha256, folder) in find_calibrations(searched, wanted)
    }
    for version in sorted(wanted - found.keys()):
        log.warning(
            "the calibration %s of live verdicts is in none of %s, so their purchases are not "
            "scored; copy its file %s*.calibration.npz from the model registry into the first, or "
            "choose later days",
            version,
            ", ".join(map(str, searched)),
            version,
        )
    for version in sorted(found):
        _check_floors(policy, version, found[version])
    return {version: bounds_of(policy, found[version]) for version in sorted(found)}


def _check_floors(policy: Policy, version: str, calibration: Calibration) -> None:
    try:
        check_floors(policy, calibration)
    except BrokenPolicy as error:
        raise BrokenPolicy(f"under calibration {version} of these days, {error}") from None


def as_document(bounds: Mapping[str, Bounds]) -> dict[str, dict[str, Any]]:
    """Return the bounds as numbers of a document; None where no score is enough."""
    return {
        version: {name: None if math.isinf(value) else value for name, value in asdict(one).items()}
        for version, one in bounds.items()
    }
