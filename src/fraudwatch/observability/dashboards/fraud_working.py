"""Panels of *Fraud operations*: is it working."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.panels import Kind, Limits, Panel, Query, Row, Unit
from fraudwatch.observability.dashboards.promql import age, increase, mean, quantile, rate

_VERDICTS: Final = "fraudwatch_detector_verdicts_total"
_EVENT_TO_VERDICT: Final = "fraudwatch_event_to_verdict_seconds"
_EVENT_TO_ROW: Final = "fraudwatch_event_to_row_seconds"

_NOW: Final = (
    Panel(
        title="Transactions in",
        normal="Purchases that ingest acknowledges. Never 0 while shops are open.",
        queries=(Query("accepted", rate("fraudwatch_ingest_accepted_total")),),
        unit=Unit.PER_SECOND,
        kind=Kind.NUMBER,
        width=3,
    ),
    Panel(
        title="Verdicts out",
        normal="Equal to the transactions that come in; more while a backlog is worked off.",
        queries=(Query("verdicts", rate(_VERDICTS)),),
        unit=Unit.PER_SECOND,
        kind=Kind.NUMBER,
        width=3,
        alerts=("NoVerdicts",),
    ),
    Panel(
        title="Alerts in the last hour",
        normal="Verdicts that analysts get. A twenty-fourth of the budget, more at busy hours.",
        queries=(Query("alerts", increase("fraudwatch_detector_alerts_total", "1h")),),
        kind=Kind.NUMBER,
        width=3,
        alerts=("AlertVolumeHigh",),
    ),
    Panel(
        title="Event to verdict, p99",
        normal="From production of the transaction to its verdict. Below 0.25 s.",
        queries=(Query("p99", quantile(0.99, _EVENT_TO_VERDICT)),),
        unit=Unit.SECONDS,
        kind=Kind.NUMBER,
        width=3,
        limits=Limits(0.25, 5),
        alerts=("VerdictsLate", "ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly"),
    ),
    Panel(
        title="Event to row, p99",
        normal="From production of the transaction to its row in Cassandra. Below a second.",
        queries=(Query("p99", quantile(0.99, _EVENT_TO_ROW)),),
        unit=Unit.SECONDS,
        kind=Kind.NUMBER,
        width=3,
        limits=Limits(1, 10),
        alerts=("RowsLate",),
    ),
    Panel(
        title="Slowest consumer",
        normal="Age of the oldest unread message of any consumer group. Below a few seconds.",
        queries=(Query("lag", "max(fraudwatch_consumer_lag_seconds)"),),
        unit=Unit.SECONDS,
        kind=Kind.NUMBER,
        width=3,
        limits=Limits(10, 60),
        alerts=("ConsumerLagHigh",),
    ),
    Panel(
        title="Dead letters in the last hour",
        normal="Messages that cannot be processed. A few; more means that a source has changed.",
        queries=(Query("dead letters", increase("fraudwatch_dead_letters_total", "1h")),),
        kind=Kind.NUMBER,
        width=3,
        limits=Limits(10, 100),
        alerts=("DeadLetterRatioHigh",),
    ),
    Panel(
        title="Services not ready",
        normal="Services whose probe fails. 0.",
        queries=(Query("not ready", "sum(fraudwatch_service_ready == bool 0)"),),
        kind=Kind.NUMBER,
        width=3,
        limits=Limits(1, 2),
        alerts=("ServiceNotReady",),
    ),
)
_WORKING: Final = (
    Panel(
        title="Transactions in, verdicts out, rows written",
        normal="The three lines run together. A gap means that the later one does not follow.",
        queries=(
            Query("accepted by ingest", rate("fraudwatch_ingest_accepted_total")),
            Query("verdicts", rate(_VERDICTS)),
            Query(
                "rows of verdicts",
                rate("fraudwatch_persister_rows_total", where='topic="fraud_topic"'),
            ),
        ),
        unit=Unit.PER_SECOND,
        alerts=("NoVerdicts",),
    ),
    Panel(
        title="Event to verdict",
        normal="p99 below 0.25 s; the objective is 99 % within 5 s.",
        queries=tuple(
            Query(f"p{share * 100:g}", quantile(share, _EVENT_TO_VERDICT))
            for share in (0.5, 0.95, 0.99)
        ),
        unit=Unit.SECONDS,
        limits=Limits(0.25, 5),
        alerts=("VerdictsLate", "ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly"),
    ),
    Panel(
        title="Event to row",
        normal="p99 below a second.",
        queries=tuple(
            Query(f"p{share * 100:g}", quantile(share, _EVENT_TO_ROW))
            for share in (0.5, 0.95, 0.99)
        ),
        unit=Unit.SECONDS,
        limits=Limits(1, 10),
        alerts=("RowsLate",),
    ),
    Panel(
        title="Where the time goes, p99 by stage",
        normal="Each stage below a second. The highest line is the stage to look at.",
        queries=(
            Query("event to verdict", quantile(0.99, _EVENT_TO_VERDICT)),
            Query("verdict to row", quantile(0.99, "fraudwatch_verdict_to_row_seconds")),
            Query("page of the console", quantile(0.99, "fraudwatch_console_page_seconds")),
        ),
        unit=Unit.SECONDS,
    ),
    Panel(
        title="Consumer lag",
        normal="Age of the oldest unread message by group. 0 or a second.",
        queries=(Query("{{group}}", "max by (group) (fraudwatch_consumer_lag_seconds)"),),
        unit=Unit.SECONDS,
        limits=Limits(10, 60),
        alerts=("ConsumerLagHigh",),
    ),
    Panel(
        title="Age of the data",
        normal="Time since the newest processed transaction was produced. Seconds under traffic.",
        queries=(
            Query("scored", age("fraudwatch_detector_judged_until_seconds")),
            Query(
                "written",
                age("fraudwatch_persister_written_until_seconds", where='topic="fraud_topic"'),
            ),
            Query("counted", age("fraudwatch_tally_counted_until_seconds")),
        ),
        unit=Unit.SECONDS,
    ),
    Panel(
        title="Micro-batches of the detector",
        normal="Scoring takes most of the trigger; both are far below a second.",
        queries=(
            Query("scoring, mean", mean("fraudwatch_detector_batch_seconds")),
            Query(
                "whole trigger, last",
                'max(fraudwatch_detector_trigger_seconds{phase="triggerExecution"})',
            ),
        ),
        unit=Unit.SECONDS,
        width=12,
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
        width=12,
        alerts=("DeadLetterRatioHigh",),
    ),
)

WORKING: Final = Row("Is it working", (*_NOW, *_WORKING))
