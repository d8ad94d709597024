"""What models say of purchases, beside what the rules say."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Evidence(NamedTuple):
    """One number a purchase from each model that is in use; None where there is no such model."""

    anomaly: npt.NDArray[np.float64] | None = None
    """[purchase] 0 to 1: the share of the training purchases that were less unusual."""
    fraud: npt.NDArray[np.float64] | None = None
    """[purchase] 0 to 1: the supervised model's probability of fraud."""
