"""Hold the outputs of the active models for a batch, as evidence beside the rules."""

from __future__ import annotations

from typing import NamedTuple

from fraudwatch.domain.arrays import Float64s


class Evidence(NamedTuple):
    """One number a purchase from each active model; None where there is no such model."""

    anomaly: Float64s | None = None
    """[purchase] 0 to 1: the share of the training purchases that were less unusual."""
    fraud: Float64s | None = None
    """[purchase] 0 to 1: the supervised model's own probability of fraud, not calibrated."""
    score: Float64s | None = None
    """[purchase] 0 to 1: the calibrated probability of fraud."""
