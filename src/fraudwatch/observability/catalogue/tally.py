"""Declare the metrics of the tally."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import Kind, Metric, Section, Unit

TALLY: Final = Section(
    "Tally",
    ("tally",),
    "",
    (
        Metric(
            name="fraudwatch_tally_verdicts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Verdicts counted",
            worry_when="it stops increasing while verdicts are published: patterns are outdated",
        ),
        Metric(
            name="fraudwatch_tally_copies_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Repeated verdicts, not counted again; a few after a restart",
            worry_when=(
                "it grows while fraudwatch_tally_verdicts_total does not: the topic was recreated "
                "under counts of the old one"
            ),
        ),
        Metric(
            name="fraudwatch_tally_unreadable_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages without a valid verdict",
            worry_when="it is not 0: the persister has dead-lettered the messages with the reason",
        ),
        Metric(
            name="fraudwatch_tally_paused",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 while the store is unavailable and consumption is paused",
            worry_when="it stays 1 for a minute: Cassandra is unavailable",
        ),
        Metric(
            name="fraudwatch_tally_lag_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Age of the oldest verdict consumed and not saved yet; 0 while none waits",
            worry_when="it is above 60: the patterns are late",
        ),
        Metric(
            name="fraudwatch_tally_counted_until_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the newest counted verdict was produced",
            worry_when="it is before the current time while the topic is busy",
        ),
    ),
)
