"""Dashboard *Streaming*: the speed half from the shop's feed to the console, stage by stage."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.java import java_panels
from fraudwatch.observability.dashboards.panels import Dashboard, Row
from fraudwatch.observability.dashboards.streaming_detector import DETECTOR
from fraudwatch.observability.dashboards.streaming_ingest import INGEST
from fraudwatch.observability.dashboards.streaming_stores import (
    NOTIFIER,
    PERSISTER,
    TALLY_AND_CONSOLE,
    WEBHOOKS,
)

STREAMING: Final = Dashboard(
    uid="fraudwatch-streaming",
    title="Streaming",
    about="Every stage from the shop's feed to the console: throughput, time, lag, errors.",
    rows=(
        INGEST,
        DETECTOR,
        PERSISTER,
        NOTIFIER,
        WEBHOOKS,
        TALLY_AND_CONSOLE,
        Row("Java of the detector", java_panels("detector")),
    ),
)
