"""Dashboard *Hosts and containers*: the machine, and what each service takes of it."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.panels import (
    MUST_BE_0,
    MUST_BE_1,
    Dashboard,
    Kind,
    Limits,
    Panel,
    Query,
    Row,
    Unit,
)
from fraudwatch.observability.dashboards.promql import age, increase, rate

_NAMED: Final = 'name!=""'
_CORES: Final = 'count(node_cpu_seconds_total{mode="idle"})'
_BUSY: Final = rate("node_cpu_seconds_total", "mode", 'mode!="idle"')

_MACHINE: Final = Row(
    "Machine",
    (
        Panel(
            title="Uptime",
            normal="Grows; a restart of the machine begins anew.",
            queries=(Query("machine", age("node_boot_time_seconds")),),
            unit=Unit.SECONDS,
            kind=Kind.NUMBER,
            width=8,
        ),
        Panel(
            title="Memory of all services",
            normal="Below 12 GiB with everything running.",
            queries=(Query("all", f"sum(container_memory_rss{{{_NAMED}}})"),),
            unit=Unit.BYTES,
            kind=Kind.NUMBER,
            width=8,
        ),
        Panel(
            title="Services that the supervisor gave up",
            normal="0.",
            queries=(Query("given up", "sum(fraudwatch_service_given_up)"),),
            kind=Kind.NUMBER,
            limits=MUST_BE_0,
            alerts=("ServiceGivenUp",),
        ),
        Panel(
            title="Processor time",
            normal="Below 80 % of all cores; the rest keeps latencies low.",
            queries=(Query("{{mode}}", f"{_BUSY} / scalar({_CORES})"),),
            unit=Unit.RATIO,
            stacked=True,
            width=6,
        ),
        Panel(
            title="Load",
            normal="Below the number of cores.",
            queries=(
                Query("load, 1 minute", "max(node_load1)"),
                Query("cores", _CORES),
            ),
            width=6,
        ),
        Panel(
            title="Memory",
            normal="Available above 10 % of the total.",
            queries=(
                Query("total", "max(node_memory_MemTotal_bytes)"),
                Query("available", "max(node_memory_MemAvailable_bytes)"),
            ),
            unit=Unit.BYTES,
            width=6,
            alerts=("MemoryLow",),
        ),
        Panel(
            title="Free disk",
            normal="Above 20 %.",
            queries=(
                Query(
                    "{{mountpoint}}",
                    "min by (mountpoint)"
                    " (node_filesystem_avail_bytes / node_filesystem_size_bytes)",
                ),
            ),
            unit=Unit.RATIO,
            kind=Kind.BARS,
            width=6,
            limits=Limits(0.2, 0.1, low_is_bad=True),
            alerts=("DiskAlmostFull",),
        ),
    ),
)
_USE: Final = Row(
    "Use by service",
    (
        Panel(
            title="Cores",
            normal="The detector first, then Kafka and Cassandra; jobs in bursts.",
            queries=(Query("{{name}}", rate("container_cpu_usage_seconds_total", "name", _NAMED)),),
            stacked=True,
        ),
        Panel(
            title="Resident memory",
            normal="Steady after the first hour.",
            queries=(Query("{{name}}", f"sum by (name) (container_memory_rss{{{_NAMED}}})"),),
            unit=Unit.BYTES,
            stacked=True,
        ),
        Panel(
            title="Working set against the limit",
            normal="Below 90 %. Services without a limit are left out.",
            queries=(
                Query(
                    "{{name}}",
                    f"max by (name) (container_memory_working_set_bytes{{{_NAMED}}}"
                    f" / (container_spec_memory_limit_bytes{{{_NAMED}}} > 0))",
                ),
            ),
            unit=Unit.RATIO,
            limits=Limits(0.9, 1),
            alerts=("ServiceMemoryHigh",),
        ),
    ),
)
_SERVICES: Final = Row(
    "Services",
    (
        Panel(
            title="Ready",
            normal="Always yes. No: the process runs, but its probe fails.",
            queries=(Query("{{service}}", "min by (service) (fraudwatch_service_ready)"),),
            unit=Unit.YES_NO,
            kind=Kind.STATES,
            limits=MUST_BE_1,
            width=12,
            alerts=("ServiceNotReady",),
        ),
        Panel(
            title="Running",
            normal="Always yes.",
            queries=(Query("{{service}}", "min by (service) (fraudwatch_service_up)"),),
            unit=Unit.YES_NO,
            kind=Kind.STATES,
            limits=MUST_BE_1,
            width=12,
            alerts=("ServiceDown",),
        ),
        Panel(
            title="Restarts in the last hour",
            normal="0.",
            queries=(
                Query(
                    "{{service}}", increase("fraudwatch_service_restarts_total", "1h", "service")
                ),
            ),
            width=12,
            alerts=("ServiceRestarting",),
        ),
        Panel(
            title="Uptime",
            normal="Equal for all; a short bar is a service that was restarted.",
            queries=(Query("{{name}}", age("container_start_time_seconds", "name", _NAMED)),),
            unit=Unit.SECONDS,
            kind=Kind.BARS,
            width=12,
        ),
        Panel(
            title="Processes",
            normal="Steady for each service.",
            queries=(Query("{{name}}", f"sum by (name) (container_processes{{{_NAMED}}})"),),
            width=12,
        ),
        Panel(
            title="Age of keys",
            normal="Below the age at which keys are rotated.",
            queries=(Query("{{key}}", age("fraudwatch_key_made_at_seconds", "key")),),
            unit=Unit.SECONDS,
            kind=Kind.BARS,
            width=12,
            alerts=("KeyOld",),
        ),
    ),
)

HOSTS_AND_CONTAINERS: Final = Dashboard(
    uid="fraudwatch-hosts",
    title="Hosts and containers",
    about="The machine, what each service takes of it, and whether it runs.",
    rows=(_MACHINE, _USE, _SERVICES),
)
