"""Dashboard *Cassandra*: latency, errors, compaction, load."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.java import java_panels
from fraudwatch.observability.dashboards.panels import (
    MUST_BE_0,
    MUST_BE_1,
    Dashboard,
    Event,
    Kind,
    Limits,
    Panel,
    Query,
    Row,
    Unit,
)
from fraudwatch.observability.dashboards.promql import rate

_READY: Final = Panel(
    title="Cassandra answers",
    normal="Yes.",
    queries=(Query("cassandra", 'min(fraudwatch_service_ready{service="cassandra"})'),),
    unit=Unit.YES_NO,
    kind=Kind.NUMBER,
    width=6,
    limits=MUST_BE_1,
    alerts=("CassandraDown",),
)
_LOAD: Final = Panel(
    title="Data on disk",
    normal="Grows with the verdicts until retention deletes as much.",
    queries=(Query("load", "sum(cassandra_storage_load_bytes)"),),
    unit=Unit.BYTES,
    kind=Kind.NUMBER,
    width=6,
)
_COMPACTIONS: Final = Panel(
    title="Pending compactions",
    normal="A few. Above 30 reads become slow: the disk does not follow.",
    queries=(Query("pending", "sum(cassandra_compaction_pendingtasks)"),),
    kind=Kind.NUMBER,
    width=6,
    limits=Limits(30, 100),
)
_HINTS: Final = Panel(
    title="Hints",
    normal="0 with a single node. Growing: another node is unreachable.",
    queries=(Query("hints", "sum(cassandra_storage_totalhints_total)"),),
    kind=Kind.NUMBER,
    width=6,
)


def _latency(share: str) -> Panel:
    return Panel(
        title=f"Time of requests, p{float(share) * 100:g}",
        normal="Reads and writes below 20 ms; above 200 ms the persister falls behind.",
        queries=(
            Query(
                "{{scope}}",
                "max by (scope) (cassandra_clientrequest_latency_seconds"
                f'{{scope=~"Read|Write|RangeSlice", quantile=~"{share}0?"}})',
            ),
        ),
        unit=Unit.SECONDS,
        limits=Limits(0.2, 1),
    )


_ERRORS: Final = Panel(
    title="Requests that failed",
    normal="0.",
    queries=(
        Query("{{scope}}: timeouts", rate("cassandra_clientrequest_timeouts_total", "scope")),
        Query(
            "{{scope}}: unavailable", rate("cassandra_clientrequest_unavailables_total", "scope")
        ),
    ),
    unit=Unit.PER_SECOND,
    alerts=("CassandraTimeouts",),
)
_CLIENTS: Final = (
    Panel(
        title="Rows written by the persister",
        normal="Follows the verdicts.",
        queries=(Query("{{topic}}", rate("fraudwatch_persister_rows_total", "topic")),),
        unit=Unit.PER_SECOND,
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
    Panel(
        title="Queries of the console that were not answered",
        normal="0.",
        queries=(Query("unanswered", rate("fraudwatch_console_store_unavailable_total")),),
        unit=Unit.PER_SECOND,
        appears_after=Event.CONSOLE_PAGE,
    ),
)

CASSANDRA: Final = Dashboard(
    uid="fraudwatch-cassandra",
    title="Cassandra",
    about="Latency, errors, compaction and size of the store of verdicts.",
    rows=(
        Row("Node", (_READY, _LOAD, _COMPACTIONS, _HINTS)),
        Row("Requests", (_latency("0.5"), _latency("0.99"), _ERRORS)),
        Row("Clients", _CLIENTS),
        Row("Java", java_panels("cassandra")),
    ),
)
