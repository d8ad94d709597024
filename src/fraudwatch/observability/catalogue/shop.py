"""Declare the metrics of the simulated shop."""

from __future__ import annotations

import math
from typing import Final

from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

SHOP: Final = Section(
    "Shop",
    ("shop",),
    "The simulated source of purchases; a real source has metrics of its own.",
    (
        Metric(
            name="fraudwatch_shop_requests_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Requests of the shop's readers, by endpoint",
            worry_when="it stops increasing: ingest no longer reads the feed",
            labels=(Label("endpoint"), Label("status")),
        ),
        Metric(
            name="fraudwatch_shop_purchases_told",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Purchases published by the feed by now, history included",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_shop_made_until_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="End of the newest precomputed minute; NaN before the first",
            worry_when="it is before the current time: readers wait for a minute to be computed",
            initial=math.nan,
        ),
    ),
)
