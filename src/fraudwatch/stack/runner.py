"""Up, down: the whole stack in dependency order, each service waited for by its own probe."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from xmlrpc.client import Fault

from fraudwatch.stack import env_file, environments, install, processes, supervisor
from fraudwatch.stack.catalogue import Catalogue, Launch
from fraudwatch.stack.environments import Say, exclusive
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.place import Place, Unusable
from fraudwatch.stack.prepare import prepare
from fraudwatch.stack.probes import probe_for
from fraudwatch.stack.waiting import Wait

BUSY = "another command is starting or stopping this stack; waiting for it ..."


@dataclass(kw_only=True)
class UpReport:
    """What `up` did."""

    profile: str
    already_running: bool = False
    seconds: float = 0.0
    ready_seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One home's services, ready to be started or asked."""

    place: Place
    catalogue: Catalogue
    settings: Mapping[str, str]
    launches: Mapping[str, Launch]


def up(place: Place, catalogue: Catalogue, profile: str, say: Say) -> UpReport:
    """Install, configure and start a profile; returns once everything is ready.

    Raises:
        Unusable: a port is taken, a setting is weak, a service does not become ready.
    """
    began = time.monotonic()
    names = catalogue.profile(profile)
    place.make_folders()
    with exclusive(place.run_folder / "stack.lock", say, BUSY):
        settings = env_file.ensure(place)
        report = UpReport(profile=profile)
        # Asked first: nothing is installed anew under what runs. Java matters for starting only.
        if _is_all_ready(_stack(place, catalogue, settings, place.runtime), names):
            report.already_running = True
        else:
            java_home = install.ensure(place, catalogue, names, say)
            _bring_up(_stack(place, catalogue, settings, java_home), java_home, report, say)
    report.seconds = round(time.monotonic() - began, 1)
    return report


def down(place: Place, catalogue: Catalogue, say: Say) -> int:
    """Stop everything, those in need first; returns how many strays had to be killed."""
    place.make_folders()
    with exclusive(place.run_folder / "stack.lock", say, BUSY):
        running = supervisor.processes(place)
        if running:
            _walk(_reversed(catalogue, running), lambda name, _stop: _halt(place, name, say))
            supervisor.shut_down(place)
        return processes.sweep(place)


def run_once(place: Place, catalogue: Catalogue, name: str, say: Say) -> None:
    """Run a one-shot of a stack that is up, now and as often as it is asked for; waits for its end.

    Raises:
        Unusable: nothing runs here, or it failed; the text holds the end of its log.
    """
    service = catalogue.services[name]
    with exclusive(place.run_folder / f"{name}.lock", say, BUSY):
        if not supervisor.is_alive(place):
            raise Unusable(f"{name} needs a stack that runs: ./fraudwatch up, then again")
        if service.environment_name:
            environments.ensure(place, service.environment_name, say)
        settings = env_file.ensure(place)
        stack = _stack(place, catalogue, settings, place.runtime)
        _start(stack, name, threading.Event(), UpReport(profile=""), say)


def _stack(
    place: Place, catalogue: Catalogue, settings: Mapping[str, str], java_home: Path
) -> Stack:
    launches = all_launches(place, catalogue, settings, java_home)
    return Stack(place=place, catalogue=catalogue, settings=settings, launches=launches)


def _bring_up(stack: Stack, java_home: Path, report: UpReport, say: Say) -> None:
    names = stack.catalogue.profile(report.profile)
    _clean_up_after_a_dead_supervisor(stack.place, say)
    _refuse_taken_ports(stack, names)
    _ensure_supervisor(stack, java_home=java_home, say=say)
    (stack.place.run_folder / "profile").write_text(report.profile)
    _walk(
        stack.catalogue.sorter(names),
        lambda name, stop: _start(stack, name, stop, report, say),
    )


def _is_all_ready(stack: Stack, names: tuple[str, ...]) -> bool:
    found = supervisor.processes(stack.place)
    return bool(found) and all(
        found[name].state == "EXITED" and found[name].exit_status == 0
        if stack.launches[name].service.oneshot
        else found[name].state == "RUNNING" and probe_for(stack.launches[name], stack.settings)()
        for name in names
    )


def _clean_up_after_a_dead_supervisor(place: Place, say: Say) -> None:
    if not supervisor.is_alive(place) and (count := processes.sweep(place)):
        say(f"removed {count} processes that an earlier run left behind")


def _refuse_taken_ports(stack: Stack, names: tuple[str, ...]) -> None:
    running = supervisor.processes(stack.place)
    idle = [n for n in names if n not in running or running[n].state not in supervisor.ACTIVE]
    wanted = [(name, port) for name in idle for port in stack.launches[name].ports.values()]
    if found := processes.clashes(wanted):
        lines = [
            f"  {clash.service} needs port {clash.port}, held by {clash.owner}" for clash in found
        ]
        raise Unusable(
            "\n".join(["these ports are taken, so nothing was started:", *lines])
            + f"\nEnd the other program, or choose another {env_file.PORT_OFFSET}."
        )


def _ensure_supervisor(stack: Stack, *, java_home: Path, say: Say) -> None:
    alive = supervisor.is_alive(stack.place)
    changed = supervisor.write_configuration(stack.place, stack.launches.values())
    if not alive:
        supervisor.start(stack.place, java_home)
    elif changed:
        say(
            "settings or the catalogue changed; what already runs keeps the old ones until down, up"
        )


def _start(stack: Stack, name: str, stop: threading.Event, report: UpReport, say: Say) -> None:
    began = time.monotonic()
    launch = stack.launches[name]
    if supervisor.process(stack.place, name).state not in supervisor.ACTIVE:
        prepare(stack.place, launch, stack.settings)
        supervisor.start_process(stack.place, name)
    Wait(stack.place, launch, probe_for(launch, stack.settings), stop).until_ready()
    if not stop.is_set():
        seconds = round(time.monotonic() - began, 1)
        report.ready_seconds[name] = seconds
        say(f"{name} {'done' if launch.service.oneshot else 'ready'} after {seconds} s")


def _halt(place: Place, name: str, say: Say) -> None:
    if supervisor.process(place, name).state not in supervisor.ACTIVE:
        return
    try:
        supervisor.call(place, "stopProcess", name)
    except Fault:
        return  # it ended by itself meanwhile
    say(f"{name} stopped")


def _reversed(catalogue: Catalogue, running: Mapping[str, object]) -> TopologicalSorter[str]:
    sorter = TopologicalSorter[str]()
    for name in catalogue.services.keys() & running.keys():
        sorter.add(name)
        for need in catalogue.services[name].needs:
            sorter.add(need, name)
    return sorter


def _walk(sorter: TopologicalSorter[str], act: Callable[[str, threading.Event], None]) -> None:
    """Act on each node once its predecessors are done, independent ones at the same time.

    The first failure keeps further nodes from starting and ends the others' waiting.
    """
    stop = threading.Event()
    waiting: dict[Future[None], str] = {}
    sorter.prepare()
    with ThreadPoolExecutor(max_workers=max(4, os.cpu_count() or 1)) as pool:
        try:
            while sorter.is_active():
                waiting |= {pool.submit(act, name, stop): name for name in sorter.get_ready()}
                for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                    done.result()
                    sorter.done(waiting.pop(done))
        finally:
            stop.set()
