"""Name the version of the feature vector; this module imports no compiler, so commands may ask."""

from __future__ import annotations

from fraudwatch.domain.features.catalogue import FEATURES_VERSION
from fraudwatch.domain.views.catalogue import views_version


def features_version() -> str:
    """Return the version of the feature vector: equal versions, equal bytes for equal events.

    The columns of the risk views are part of the vector, so their version is part of this one.
    """
    return f"{FEATURES_VERSION}.{views_version()}"
