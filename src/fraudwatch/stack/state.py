"""Report the status of services, from supervisord and each service's probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psutil

from fraudwatch.stack import env_file, supervisor
from fraudwatch.stack.catalogue import Catalogue, Launch
from fraudwatch.stack.home import Home
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.probes import probe_for
from fraudwatch.stack.system_programs import runnable_profile

DEFAULT_PROFILE = "lake"
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """One line of `status`."""

    name: str
    state: str
    ready: bool
    pid: int | None = None
    uptime_seconds: int | None = None
    memory_mib: int | None = None
    ports: Mapping[str, int] = field(default_factory=dict)


def profile_of(home: Home) -> str:
    """Return the profile that was last started in this home."""
    path = home.run_folder / "profile"
    return path.read_text().strip() if path.exists() else DEFAULT_PROFILE


def status(home: Home, catalogue: Catalogue) -> list[ServiceState]:
    """Return the status of every service of the home's profile, probed in parallel."""
    names = runnable_profile(catalogue, profile_of(home))
    return status_of(names, home, catalogue, env_file.read(home))


def status_of(
    names: Sequence[str],
    home: Home,
    catalogue: Catalogue,
    settings: Mapping[str, str] | None,
) -> list[ServiceState]:
    """Return the status of these services with the home's settings, probed in parallel."""
    found = supervisor.processes(home)
    if settings is None or not found:
        return [ServiceState(name=name, state="stopped", ready=False) for name in names]
    # The Java home matters for starting only.
    launches = all_launches(home, catalogue, settings, home.runtime)
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda n: _state(launches[n], found.get(n), settings), names))


def _state(
    launch: Launch, found: supervisor.Process | None, settings: Mapping[str, str]
) -> ServiceState:
    if found is None:
        return ServiceState(name=launch.name, state="unknown", ready=False)
    if launch.service.oneshot:
        done = found.state == "EXITED" and found.exit_status == 0
        state = (
            "done" if done else f"failed ({found.exit_status})" if found.state == "EXITED" else ""
        )
        return ServiceState(name=launch.name, state=state or found.state.lower(), ready=done)
    running = found.state in {"STARTING", "RUNNING"}
    return ServiceState(
        name=launch.name,
        state=found.state.lower(),
        ready=running and probe_for(launch, settings)(),
        pid=found.pid or None,
        uptime_seconds=found.uptime_seconds if running else None,
        memory_mib=_memory_mib(found.pid) if running else None,
        ports=launch.ports,
    )


def _memory_mib(pid: int) -> int | None:
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
        return sum(member.memory_info().rss for member in family) // MIB
    except psutil.Error:
        return None
