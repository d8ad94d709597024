"""Define the feature vector of a purchase: the fold's features, then the risk views' features.

Rules, models and ``feature_topic`` get the full vector. Only the fold's part depends on the log
alone.
"""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.views.catalogue import VIEW_FEATURES

VECTOR_FEATURES: Final = FEATURES + VIEW_FEATURES
VECTOR_INDEX: Final = {feature.name: index for index, feature in enumerate(VECTOR_FEATURES)}
