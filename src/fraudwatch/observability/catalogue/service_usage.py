"""Declare the metrics of services and machine, with the names of cAdvisor and node exporter."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

SERVICE_USAGE: Final = Section(
    "Services",
    ("service_usage", "cadvisor"),
    (
        "The container_* names are those of cAdvisor, which serves them in containers; name is "
        "the service."
    ),
    (
        Metric(
            name="container_cpu_usage_seconds_total",
            kind=Kind.COUNTER,
            unit=Unit.SECONDS,
            meaning="Processor time of the service and its child processes",
            worry_when="it increases by nearly 1 a second for minutes in a process of one thread",
            labels=(Label("name"),),
        ),
        Metric(
            name="container_memory_rss",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Resident memory of the service and its child processes",
            worry_when="it comes near container_spec_memory_limit_bytes",
            labels=(Label("name"),),
        ),
        Metric(
            name="container_memory_working_set_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Memory that cannot be reclaimed",
            worry_when="it comes near container_spec_memory_limit_bytes",
            labels=(Label("name"),),
        ),
        Metric(
            name="container_spec_memory_limit_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Memory limit of the service; natively what the catalogue plans for it",
            worry_when=NEVER_ALONE,
            labels=(Label("name"),),
        ),
        Metric(
            name="container_start_time_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the service's process was started",
            worry_when="it changes without a deployment: the service restarts",
            labels=(Label("name"),),
        ),
        Metric(
            name="container_processes",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Processes of the service",
            worry_when="it grows for hours: child processes are not reaped",
            labels=(Label("name"),),
        ),
        Metric(
            name="fraudwatch_service_up",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 if the service's process runs",
            worry_when="it is 0 for a minute",
            labels=(Label("service"),),
        ),
        Metric(
            name="fraudwatch_service_ready",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 if the service's probe succeeds",
            worry_when=(
                "it is 0 for minutes while fraudwatch_service_up is 1: it runs and does not work"
            ),
            labels=(Label("service"),),
        ),
        Metric(
            name="fraudwatch_service_restarts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Restarts of the service by the supervisor",
            worry_when="it increases more than once in ten minutes",
            labels=(Label("service"),),
        ),
        Metric(
            name="fraudwatch_service_given_up",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 if the supervisor no longer restarts the service",
            worry_when="it is 1: the service stays down until a person starts it",
            labels=(Label("service"),),
        ),
        Metric(
            name="fraudwatch_key_made_at_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the key was made",
            worry_when="it is older than the rotation period",
            labels=(Label("key"),),
        ),
    ),
)

MACHINE: Final = Section(
    "Machine",
    ("service_usage", "node"),
    "The names are those of node exporter, which serves them in containers.",
    (
        Metric(
            name="node_cpu_seconds_total",
            kind=Kind.COUNTER,
            unit=Unit.SECONDS,
            meaning="Processor time by mode",
            worry_when="idle increases by little for minutes: the machine is full",
            labels=(Label("cpu"), Label("mode")),
        ),
        Metric(
            name="node_memory_MemTotal_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Memory of the machine",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="node_memory_MemAvailable_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Memory that can be given to processes without swapping",
            worry_when="it is below a tenth of the total",
        ),
        Metric(
            name="node_filesystem_size_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Size of the file system",
            worry_when=NEVER_ALONE,
            labels=(Label("mountpoint"),),
        ),
        Metric(
            name="node_filesystem_avail_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Space left on the file system",
            worry_when="it is below a tenth of the size, or full within a day at its trend",
            labels=(Label("mountpoint"),),
        ),
        Metric(
            name="node_load1",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Mean number of processes that ran or waited in the last minute",
            worry_when="it is above twice the number of cores for minutes",
        ),
        Metric(
            name="node_boot_time_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the machine was booted",
            worry_when="it changes: the machine was restarted",
        ),
    ),
)
