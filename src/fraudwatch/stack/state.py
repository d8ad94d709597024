"""What runs, asked of supervisord and of every service's own probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psutil

from fraudwatch.stack import env_file, supervisor
from fraudwatch.stack.catalogue import Catalogue, Launch
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.place import Place
from fraudwatch.stack.probes import probe_for

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


def profile_of(place: Place) -> str:
    """The profile last asked for in this home."""
    path = place.run_folder / "profile"
    return path.read_text().strip() if path.exists() else DEFAULT_PROFILE


def status(place: Place, catalogue: Catalogue) -> list[ServiceState]:
    """Every service of the home's profile, probed at the same time."""
    names = catalogue.profile(profile_of(place))
    return status_of(names, place, catalogue, env_file.read(place))


def status_of(
    names: Sequence[str],
    place: Place,
    catalogue: Catalogue,
    settings: Mapping[str, str] | None,
) -> list[ServiceState]:
    """The status of these services under the home's settings, probed at the same time."""
    found = supervisor.processes(place)
    if settings is None or not found:
        return [ServiceState(name=name, state="stopped", ready=False) for name in names]
    # The Java home matters for starting only.
    launches = all_launches(place, catalogue, settings, place.runtime)
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
