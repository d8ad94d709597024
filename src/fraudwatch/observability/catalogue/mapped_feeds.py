"""Declare the metrics of feeds in another shape, which ingest follows."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import Kind, Label, Metric, Unit

MAPPED_OUTCOMES: Final = ("accepted", "repeated", "dead_lettered", "left_out")

MAPPED_FEEDS: Final = (
    Metric(
        name="fraudwatch_ingest_mapped_records_total",
        kind=Kind.COUNTER,
        unit=Unit.COUNT,
        meaning="Records of feeds in another shape, by what their mapping makes of them",
        worry_when="dead_lettered grows: a source has changed its shape",
        labels=(Label("outcome", MAPPED_OUTCOMES),),
    ),
    Metric(
        name="fraudwatch_ingest_unusable_feeds",
        kind=Kind.GAUGE,
        unit=Unit.COUNT,
        meaning="Feed files that cannot be used, so that their feeds are not followed",
        worry_when="it is not 0: purchases wait at the source, unscored",
    ),
)
