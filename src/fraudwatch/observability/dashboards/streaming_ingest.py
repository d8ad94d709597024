"""Panels of *Streaming*: the shop's feed and ingest."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.panels import Panel, Query, Row, Unit
from fraudwatch.observability.dashboards.promql import rate

INGEST: Final = Row(
    "Shop and ingest",
    (
        Panel(
            title="Requests to the shop",
            normal="A steady rate by endpoint; other statuses than 200 are refusals.",
            queries=(
                Query(
                    "{{endpoint}} {{status}}",
                    rate("fraudwatch_shop_requests_total", "endpoint, status"),
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Accepted and repeated",
            normal="Accepted follows the feed. Repeats only after a restart or a replay.",
            queries=(
                Query("purchases", rate("fraudwatch_ingest_accepted_total")),
                Query("repeated purchases", rate("fraudwatch_ingest_repeated_total")),
                Query("labels", rate("fraudwatch_ingest_labels_total")),
                Query("repeated labels", rate("fraudwatch_ingest_repeated_labels_total")),
            ),
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Ingest behind its sources",
            normal="Below a second of traffic. Growing: ingest cannot follow.",
            queries=(
                Query("purchases of the feed", "max(fraudwatch_ingest_feed_behind)"),
                Query("chargebacks", "max(fraudwatch_ingest_chargebacks_behind)"),
            ),
        ),
        Panel(
            title="Time that the shop has computed ahead",
            normal="Above 0. Below, readers wait until a minute is computed.",
            queries=(Query("ahead", "max(fraudwatch_shop_made_until_seconds) - time()"),),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Synchronous calls that timed out",
            normal="0. More: verdicts come later than callers wait.",
            queries=(Query("timed out", rate("fraudwatch_ingest_waits_timed_out_total")),),
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Dead letters by stage and code",
            normal="Close to 0. One code that grows names what is wrong with the source.",
            queries=(
                Query(
                    "{{stage}} {{code}}",
                    f"topk(8, {rate('fraudwatch_dead_letters_total', 'stage, code')})",
                ),
            ),
            unit=Unit.PER_SECOND,
            alerts=("DeadLetterRatioHigh",),
        ),
        Panel(
            title="Paused sources",
            normal="0. More: sources over the dead-letter quota wait for an operator.",
            queries=(Query("{{reader}}", "max by (reader) (fraudwatch_ingest_paused_sources)"),),
            width=12,
            alerts=("SourcePaused",),
        ),
        Panel(
            title="Feeds that cannot be used",
            normal="0. More: a feed's file is wrong, and its purchases wait at the source.",
            queries=(Query("feeds", "max(fraudwatch_ingest_unusable_feeds)"),),
            width=12,
            alerts=("FeedUnusable",),
        ),
    ),
)
