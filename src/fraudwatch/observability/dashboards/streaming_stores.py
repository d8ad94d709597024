"""Panels of *Streaming*: persister, notifier, webhooks, tally and console."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.panels import (
    MUST_BE_0,
    Event,
    Kind,
    Limits,
    Panel,
    Query,
    Row,
    Unit,
)
from fraudwatch.observability.dashboards.promql import quantile, rate

PERSISTER: Final = Row(
    "Persister",
    (
        Panel(
            title="Rows written by topic",
            normal="Follows the verdicts.",
            queries=(Query("{{topic}}", rate("fraudwatch_persister_rows_total", "topic")),),
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Verdict to row",
            normal="p99 below half a second.",
            queries=tuple(
                Query(f"p{share * 100:g}", quantile(share, "fraudwatch_verdict_to_row_seconds"))
                for share in (0.5, 0.95, 0.99)
            ),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Where the persister spends its time",
            normal="Seconds of work a second. Writing near 1: Cassandra is the bottleneck.",
            queries=(Query("{{phase}}", rate("fraudwatch_persister_seconds_total", "phase")),),
            stacked=True,
        ),
        Panel(
            title="Age of the oldest message not written",
            normal="0 or a second.",
            queries=(Query("{{topic}}", "max by (topic) (fraudwatch_persister_lag_seconds)"),),
            unit=Unit.SECONDS,
            limits=Limits(5, 60),
            alerts=("ConsumerLagHigh",),
        ),
        Panel(
            title="Messages in a batch, mean",
            normal="Well below the maximum. At its maximum there is a backlog.",
            queries=(
                Query(
                    "messages",
                    f"{rate('fraudwatch_persister_rows_total')}"
                    f" / {rate('fraudwatch_persister_batches_total')}",
                ),
            ),
        ),
        Panel(
            title="Paused while Cassandra is unavailable",
            normal="Always no.",
            queries=(
                Query("persister", "max(fraudwatch_persister_paused)"),
                Query("tally", "max(fraudwatch_tally_paused)"),
            ),
            unit=Unit.YES_NO,
            kind=Kind.STATES,
            limits=MUST_BE_0,
            alerts=("StoreWritesPaused",),
        ),
    ),
)
NOTIFIER: Final = Row(
    "Notifier",
    (
        Panel(
            title="Messages to staff an hour",
            normal="A few. CRITICAL at its limit: a campaign, or a policy that is wrong.",
            queries=(
                Query(
                    "{{channel}} {{kind}}",
                    "sum by (channel, kind) (increase(fraudwatch_notifier_messages_total[1h]))",
                ),
            ),
        ),
        Panel(
            title="Notices to customers an hour",
            normal="As many as purchases are declined. Uncertain and expired: 0.",
            queries=(
                Query(
                    "{{state}}", "sum by (state) (increase(fraudwatch_notifier_notices_total[1h]))"
                ),
            ),
        ),
        Panel(
            title="A channel fails",
            normal="Always no.",
            queries=(
                Query("{{channel}}", "max by (channel) (fraudwatch_notifier_channel_failing)"),
            ),
            unit=Unit.YES_NO,
            kind=Kind.STATES,
            limits=MUST_BE_0,
            alerts=("NotificationsFail",),
        ),
    ),
)
WEBHOOKS: Final = Row(
    "Webhooks",
    (
        Panel(
            title="Events delivered by subscription",
            normal="Follows the alerts. None without a subscription.",
            queries=(
                Query(
                    "{{subscription}}", rate("fraudwatch_webhooks_delivered_total", "subscription")
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Events that wait",
            normal="Near 0. It grows while a client is down.",
            queries=(
                Query("{{subscription}}", "max by (subscription) (fraudwatch_webhooks_waiting)"),
            ),
            appears_after=Event.SUBSCRIPTION,
        ),
        Panel(
            title="A client fails",
            normal="Always no.",
            queries=(
                Query("{{subscription}}", "max by (subscription) (fraudwatch_webhooks_failing)"),
            ),
            appears_after=Event.SUBSCRIPTION,
            unit=Unit.YES_NO,
            kind=Kind.STATES,
            limits=MUST_BE_0,
            alerts=("WebhooksFail", "WebhookEventsDeadLettered"),
        ),
    ),
)
TALLY_AND_CONSOLE: Final = Row(
    "Tally and console",
    (
        Panel(
            title="Verdicts counted",
            normal="Follows the verdicts. Copies after restarts only; unreadable never.",
            queries=(
                Query("counted", rate("fraudwatch_tally_verdicts_total")),
                Query("copies", rate("fraudwatch_tally_copies_total")),
                Query("unreadable", rate("fraudwatch_tally_unreadable_total")),
            ),
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Age of the oldest verdict not counted",
            normal="Below a minute.",
            queries=(Query("tally", "max(fraudwatch_tally_lag_seconds)"),),
            unit=Unit.SECONDS,
            limits=Limits(60, 300),
        ),
        Panel(
            title="Queries that Cassandra did not answer",
            normal="0. More: analysts work on an old list.",
            queries=(Query("unanswered", rate("fraudwatch_console_store_unavailable_total")),),
            unit=Unit.PER_SECOND,
            appears_after=Event.CONSOLE_PAGE,
        ),
        Panel(
            title="Queries of the console",
            normal="A few a second with analysts at work.",
            queries=(Query("{{kind}}", rate("fraudwatch_console_query_seconds_count", "kind")),),
            unit=Unit.PER_SECOND,
            appears_after=Event.CONSOLE_PAGE,
        ),
        Panel(
            title="Queries of the console, p99",
            normal="Below a second.",
            queries=(
                Query("{{kind}}", quantile(0.99, "fraudwatch_console_query_seconds", "kind")),
            ),
            unit=Unit.SECONDS,
            limits=Limits(1, 5),
            appears_after=Event.CONSOLE_PAGE,
        ),
        Panel(
            title="Pages of the console, p95",
            normal="Below a second.",
            queries=(Query("{{page}}", quantile(0.95, "fraudwatch_console_page_seconds", "page")),),
            unit=Unit.SECONDS,
            limits=Limits(1, 5),
            appears_after=Event.CONSOLE_PAGE,
        ),
    ),
)
