"""Declare the metrics that several of our processes export."""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.messages.dead_letter import Code, Stage
from fraudwatch.observability.catalogue.metric import Kind, Label, Metric, Section, Unit

SHARED: Final = Section(
    "Several processes",
    ("ingest", "detector", "persister"),
    "Each process has the series of its own stage.",
    (
        Metric(
            name="fraudwatch_dead_letters_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages dead-lettered",
            worry_when="it is more than a few: the source has changed",
            labels=(Label("stage", tuple(Stage)), Label("code", tuple(Code))),
        ),
    ),
)
