"""Define the explanation of a model's score: contributions, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact


@dataclass(frozen=True, slots=True)
class Contribution:
    """One feature's contribution to a model's score.

    From a model that learned from labels it is the exact SHAP value; without one it is the distance
    from the normal in spreads.
    """

    feature: Annotated[str, Fact("The feature's name")]
    value: Annotated[float | None, Fact("Its value for this purchase; null unknown")]
    normal: Annotated[
        float | None, Fact("Normal value: for this customer where known, else for all")
    ]
    contribution: Annotated[
        float, Fact("SHAP value in log-odds, or distance from the normal in spreads")
    ]
