"""The served vector: what the fold says of a purchase, then what risk views say.

Rules, models and ``feature_topic`` have it whole. Only the fold's part follows from the log alone.
"""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.views.catalogue import VIEW_FEATURES

SERVED: Final = FEATURES + VIEW_FEATURES
SERVED_INDEX: Final = {feature.name: place for place, feature in enumerate(SERVED)}
