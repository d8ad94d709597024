"""Why a model holds a purchase to be unusual or fraudulent, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass

from fraudwatch.domain.fields import fact


@dataclass(frozen=True, slots=True)
class Contribution:
    """One feature's part in what a model said.

    From a model that learned from labels it is the exact SHAP value; without one it is the distance
    from the normal in spreads.
    """

    feature: str = fact("The feature's name")
    value: float | None = fact("What it was for this purchase; null unknown")
    normal: float | None = fact("What is normal: for this customer where known, else for all")
    contribution: float = fact("SHAP value in log-odds, or distance from the normal in spreads")
