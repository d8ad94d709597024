"""Start and end a canary: a challenger that scores a share of the customers on trial.

It changes no champion and no alias. It ends when somebody ends it, when another model becomes
champion, or by itself when it leaves the band
(:mod:`fraudwatch.application.promotion.canary_trial`).
"""

from __future__ import annotations

from fraudwatch.application.promotion.promote import ModelLifecycle, sync_registry_alias
from fraudwatch.domain.models.canary import MOST_SHARE_RATIO
from fraudwatch.domain.training.versions import (
    Alias,
    ModelVersion,
    calibration_of_version,
    version_of,
    with_sha256,
)


class CanaryRefused(RuntimeError):
    """A canary cannot be started or ended; nothing was changed."""


def start_canary(models: ModelLifecycle, version: int, share_ratio: float) -> ModelVersion:
    """Start a canary, instead of one that runs.

    Raises:
        CanaryRefused: the share is out of bounds, or the version is no challenger and was never
            champion, or it is the champion.
        NoSuchVersion: there is no such version.
        BrokenModel: its artefacts cannot be used.
    """
    if not 0 < share_ratio <= MOST_SHARE_RATIO:
        raise CanaryRefused(
            f"the share must be above 0 and at most {MOST_SHARE_RATIO:.0%} of the customers; "
            "nothing was changed"
        )
    sync_registry_alias(models)
    chosen = version_of(version, models.registry.versions())
    if Alias.CHALLENGER not in chosen.aliases and chosen.promoted_at_ms is None:
        raise CanaryRefused(
            f"version {version} neither passed the promotion gate nor was champion before, so no "
            "customer is scored by it; nothing was changed. ./fraudwatch shadow start compares any "
            "model without an effect"
        )
    calibration = calibration_of_version(chosen)
    models.registry.restore(version, models.model_store.folder)
    models.model_store.check(chosen.sha256, calibration)
    models.model_store.start_canary(
        chosen.sha256, calibration, share_ratio=share_ratio, started_at_ms=models.now_ms()
    )
    return chosen


def end_canary(models: ModelLifecycle) -> ModelVersion | None:
    """End the canary; return its version, None if the registry does not have it any more.

    Raises:
        CanaryRefused: there is none.
    """
    sha256 = models.model_store.end_canary()
    if sha256 is None:
        raise CanaryRefused("no canary is active; nothing was changed")
    return with_sha256(sha256, models.registry.versions())
