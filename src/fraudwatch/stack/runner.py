"""Start and stop the stack in dependency order; each service is ready when its probe answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xmlrpc.client import Fault

from fraudwatch.stack import (
    env_file,
    environments,
    home_version,
    install,
    processes,
    scrape_targets,
    supervisor,
)
from fraudwatch.stack.catalogue import Catalogue, Launch
from fraudwatch.stack.environments import Notify, exclusive
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.prepare import prepare
from fraudwatch.stack.probes import probe_for
from fraudwatch.stack.progress_lines import ReadyLine
from fraudwatch.stack.start_order import ranks, stop_sorter, walk, with_needs
from fraudwatch.stack.system_programs import missing_lines, runnable_profile
from fraudwatch.stack.waiting import Wait

BUSY = "another command is starting or stopping this stack; waiting for it ..."


@dataclass(kw_only=True)
class UpReport:
    """Result of `up`."""

    profile: str
    already_running: bool = False
    seconds: float = 0.0
    install_seconds: float = 0.0
    """Of them: checking and installing environments and jars."""
    ready_seconds: dict[str, float] = field(default_factory=dict)
    """By service, from its start until it was ready; many at the same time."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Services of one home, with its settings, ready to start."""

    home: Home
    catalogue: Catalogue
    settings: Mapping[str, str]
    launches: Mapping[str, Launch]


@contextmanager
def lock(home: Home, notify: Notify) -> Iterator[None]:
    """Hold the lock of a stack, without which no command and no watchdog starts or stops it."""
    home.make_folders()
    with exclusive(home.run_folder / "stack.lock", notify, BUSY):
        yield


def up(
    home: Home,
    catalogue: Catalogue,
    profile: str,
    notify: Notify,
    *,
    only: Collection[str] = (),
) -> UpReport:
    """Install, configure and start a profile; returns once everything is ready.

    With ``only``, these of its services and what they need; another ``up`` starts the rest.

    Raises:
        StackError: a port is in use, a setting is weak, a service does not become ready, or the
            home is of another version.
    """
    with lock(home, notify):
        return up_locked(home, catalogue, profile, notify, only=only)


def up_locked(
    home: Home,
    catalogue: Catalogue,
    profile: str,
    notify: Notify,
    *,
    only: Collection[str] = (),
) -> UpReport:
    """Start a profile, as ``up`` does, for a caller that holds the stack's lock."""
    began, names = time.monotonic(), runnable_profile(catalogue, profile)
    if only:
        wanted = with_needs(catalogue, only)
        names = tuple(name for name in names if name in wanted)
    else:
        for line in missing_lines(catalogue, profile):
            notify(line)
    home_version.claim(home)
    _stopped_mark(home).unlink(missing_ok=True)
    settings, report = env_file.ensure(home), UpReport(profile=profile)
    # First, so that nothing is reinstalled under a running stack. Only a start needs Java.
    if _is_all_ready(_stack(home, catalogue, settings, home.runtime), names):
        report.already_running = True
    else:
        java_home = install.ensure(home, catalogue, names, notify)
        report.install_seconds = round(time.monotonic() - began, 1)
        _bring_up(_stack(home, catalogue, settings, java_home), names, java_home, report, notify)
    report.seconds = round(time.monotonic() - began, 1)
    return report


def down(home: Home, catalogue: Catalogue, notify: Notify) -> int:
    """Stop every service before those it needs; return the number of stray processes killed."""
    with lock(home, notify):
        _stopped_mark(home).touch()
        return down_locked(home, catalogue, notify)


def down_locked(home: Home, catalogue: Catalogue, notify: Notify) -> int:
    """Stop every service for a caller that holds the stack's lock and will start it again."""
    running = supervisor.processes(home)
    if running:
        walk(stop_sorter(catalogue, running), lambda name, _stop: _halt(home, name, notify))
        supervisor.shut_down(home)
    return processes.sweep(home)


def is_stopped_by_command(home: Home) -> bool:
    """Whether the stack's last command was `down`: then nothing but a command starts it again."""
    return _stopped_mark(home).exists()


def _stopped_mark(home: Home) -> Path:
    return home.run_folder / "stopped"


def run_once(home: Home, catalogue: Catalogue, name: str, notify: Notify) -> None:
    """Run a job of a running stack and wait until it ends; it may run any number of times.

    Raises:
        StackError: the stack does not run, or the job failed; the message has the end of its log.
    """
    service = catalogue.services[name]
    with exclusive(home.run_folder / f"{name}.lock", notify, BUSY):
        if not supervisor.is_alive(home):
            raise StackError(f"{name} needs a running stack: run ./fraudwatch up, then try again")
        if service.environment_name:
            environments.ensure(home, service.environment_name, notify)
        settings = env_file.ensure(home)
        stack = _stack(home, catalogue, settings, home.runtime)
        _start(stack, name, threading.Event(), UpReport(profile=""), notify)


def _stack(home: Home, catalogue: Catalogue, settings: Mapping[str, str], java_home: Path) -> Stack:
    launches = all_launches(home, catalogue, settings, java_home)
    return Stack(home=home, catalogue=catalogue, settings=settings, launches=launches)


def _bring_up(
    stack: Stack, names: tuple[str, ...], java_home: Path, report: UpReport, notify: Notify
) -> None:
    profile = runnable_profile(stack.catalogue, report.profile)
    _clean_up_after_a_dead_supervisor(stack.home, notify)
    _refuse_used_ports(stack, profile)
    _ensure_supervisor(stack, java_home=java_home, notify=notify)
    (stack.home.run_folder / "profile").write_text(report.profile)
    scrape_targets.write_targets(stack.home, stack.catalogue, profile, stack.settings)
    walk(
        stack.catalogue.sorter(names),
        lambda name, stop: _start(stack, name, stop, report, notify),
        ranks(stack.catalogue, names),
    )


def _is_all_ready(stack: Stack, names: tuple[str, ...]) -> bool:
    found = supervisor.processes(stack.home)
    return bool(found) and all(
        found[name].state == "EXITED" and found[name].exit_status == 0
        if stack.launches[name].service.oneshot
        else found[name].state == "RUNNING" and probe_for(stack.launches[name], stack.settings)()
        for name in names
    )


def _clean_up_after_a_dead_supervisor(home: Home, notify: Notify) -> None:
    if not supervisor.is_alive(home) and (count := processes.sweep(home)):
        notify(f"removed {count} processes that an earlier run left behind")


def _refuse_used_ports(stack: Stack, names: tuple[str, ...]) -> None:
    running = supervisor.processes(stack.home)
    idle = [n for n in names if n not in running or running[n].state not in supervisor.ACTIVE]
    wanted = [(name, port) for name in idle for port in stack.launches[name].ports.values()]
    if found := processes.port_conflicts(wanted):
        lines = [
            f"  {conflict.service} needs port {conflict.port}, used by {conflict.owner}"
            for conflict in found
        ]
        raise StackError(
            "\n".join(["these ports are in use, so nothing was started:", *lines])
            + f"\nEnd the other program, or choose another {env_file.PORT_OFFSET}."
        )


def _ensure_supervisor(stack: Stack, *, java_home: Path, notify: Notify) -> None:
    alive = supervisor.is_alive(stack.home)
    changed = supervisor.write_configuration(stack.home, stack.launches.values())
    if not alive:
        supervisor.start(stack.home, java_home)
    elif changed and (kept := supervisor.apply_configuration(stack.home)):
        notify(
            f"settings or the catalogue changed; {', '.join(kept)} use the old ones until down "
            "and up"
        )


def _start(
    stack: Stack, name: str, stop: threading.Event, report: UpReport, notify: Notify
) -> None:
    began = time.monotonic()
    launch = stack.launches[name]
    if supervisor.process(stack.home, name).state not in supervisor.ACTIVE:
        prepare(stack.home, launch, stack.settings)
        supervisor.start_process(stack.home, name)
    Wait(stack.home, launch, probe_for(launch, stack.settings), stop).until_ready()
    if not stop.is_set():
        seconds = round(time.monotonic() - began, 1)
        report.ready_seconds[name] = seconds
        notify(str(ReadyLine(name, seconds, launch.service.oneshot)))


def _halt(home: Home, name: str, notify: Notify) -> None:
    if supervisor.process(home, name).state not in supervisor.ACTIVE:
        return
    try:
        supervisor.call(home, "stopProcess", name)
    except Fault:
        return  # it has ended by itself
    notify(f"{name} stopped")
