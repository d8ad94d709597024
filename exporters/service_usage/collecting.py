"""Collect all metrics of services, machine and keys, at each scrape."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from prometheus_client.registry import Collector

from exporters.families import Family, family
from exporters.service_usage.keys import keys_made_at
from exporters.service_usage.machine import machine_families
from exporters.service_usage.process_trees import Usage, UsageMeter
from exporters.service_usage.service_states import ServiceState, ServiceStates
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack.home import Home

_MIB = 1024 * 1024


class UsageCollector(Collector):
    """Measures at each scrape, one at a time."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._states, self._meter = ServiceStates(home), UsageMeter()
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Family]:
        """Return all families."""
        with self._lock:
            states = self._states.observe()
            usages = self._meter.measure({one.name: one.pid for one in states if one.pid})
        yield from state_families(states)
        yield from usage_families(usages)
        yield from machine_families((self._home.folder, self._home.root))
        yield family(
            "fraudwatch_key_made_at_seconds",
            [((key,), at) for key, at in keys_made_at(self._home.folder / "keys").items()],
        )


def state_families(states: tuple[ServiceState, ...]) -> Iterator[Family]:
    """Return the families of up, ready, given up and restarts."""
    yield family("fraudwatch_service_up", [((one.name,), one.is_up) for one in states])
    yield family(
        "fraudwatch_service_ready",
        [((one.name,), one.is_ready) for one in states if one.is_ready is not None],
    )
    yield family("fraudwatch_service_given_up", [((one.name,), one.is_given_up) for one in states])
    yield family(
        "fraudwatch_service_restarts_total", [((one.name,), one.restarts) for one in states]
    )


def usage_families(usages: Mapping[str, Usage]) -> Iterator[Family]:
    """Return the families that cAdvisor has for containers; `name` is the service."""
    services = catalogues.load().services
    values: dict[str, dict[str, float]] = {
        "container_cpu_usage_seconds_total": {n: u.cpu_seconds for n, u in usages.items()},
        "container_memory_rss": {n: u.anonymous_bytes for n, u in usages.items()},
        "container_memory_working_set_bytes": {n: u.resident_bytes for n, u in usages.items()},
        "container_spec_memory_limit_bytes": {n: services[n].memory_mib * _MIB for n in usages},
        "container_start_time_seconds": {n: u.started_at_seconds for n, u in usages.items()},
        "container_processes": {n: u.processes for n, u in usages.items()},
    }
    for name, samples in values.items():
        yield family(name, [((service,), value) for service, value in samples.items()])
