"""Control supervisord: generate its configuration, start it, and call it over XML-RPC.

It restarts services that exit and writes their logs. It knows no dependencies (runner.py does) and
leaves processes behind when it is killed itself (processes.py kills them by the inherited mark).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ProtocolError, ServerProxy

import psutil

from fraudwatch.stack.catalogue import CatalogueError, Launch
from fraudwatch.stack.home import MARK_VARIABLE, Home, StackError, write_private

START_SECONDS = 20
STOP_SECONDS = 60
POLL_SECONDS = 0.1
# An exit before this counts as a failed start; after five in a row supervisord gives up (FATAL).
STEADY_SECONDS = 5
START_RETRIES = 5
LOG_BYTES = "20MB"
LOG_BACKUPS = 3
_SPAWN_ERROR = 50  # SPAWN_ERROR of supervisor.xmlrpc.Faults
ACTIVE = frozenset({"STARTING", "RUNNING", "BACKOFF"})


@dataclass(frozen=True, kw_only=True)
class Process:
    """State of one service, as supervisord reports it."""

    name: str
    state: str
    pid: int
    exit_status: int
    uptime_seconds: int


def configuration_path(home: Home) -> Path:
    """Return the path of the generated configuration, which holds secrets."""
    return home.run_folder / "supervisord.conf"


def log_of(home: Home, name: str) -> Path:
    """Return the path of a service's log."""
    return home.log_folder / f"{name}.log"


def render(home: Home, launches: Iterable[Launch]) -> str:
    """Render the configuration: every service of the catalogue, none with autostart."""
    head = [
        "[supervisord]",
        f"directory={_ini(str(home.root))}",
        f"logfile={_ini(str(log_of(home, 'supervisord')))}",
        f"pidfile={_ini(str(home.run_folder / 'supervisord.pid'))}",
        "umask=077",
        "[unix_http_server]",
        f"file={_ini(str(home.socket))}",
        "chmod=0600",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    return "\n".join([*head, *(line for launch in launches for line in _program(home, launch)), ""])


def _program(home: Home, launch: Launch) -> list[str]:
    # When supervisord is killed, the kernel kills its children; the sweep finds the grandchildren.
    guard: tuple[str, ...] = ()
    if shutil.which("setpriv"):
        guard = ("setpriv", "--pdeathsig", "KILL", "--")
    service = launch.service
    if service.leaves_orphans:
        guard = (*guard, sys.executable, "-m", "fraudwatch.stack.reap_orphans", service.name)
    if service.nice:
        guard = (*guard, "nice", "-n", str(service.nice))
    pairs = ",".join(f"{key}={_quoted(value)}" for key, value in launch.environment.items())
    return [
        f"[program:{service.name}]",
        f"command={_ini(shlex.join([*guard, *launch.argv]))}",
        f"environment={_ini(pairs)}",
        "autostart=false",
        f"autorestart={'false' if service.oneshot else 'true'}",
        f"startsecs={0 if service.oneshot else STEADY_SECONDS}",
        f"startretries={START_RETRIES}",
        "stopasgroup=true",
        "killasgroup=true",
        f"stopwaitsecs={service.stop_seconds}",
        "redirect_stderr=true",
        f"stdout_logfile={_ini(str(log_of(home, service.name)))}",
        f"stdout_logfile_maxbytes={LOG_BYTES}",
        f"stdout_logfile_backups={LOG_BACKUPS}",
    ]


def _quoted(value: str) -> str:
    if '"' in value:
        raise CatalogueError("supervisord accepts no double quote in an environment value")
    return f'"{value}"'


def _ini(value: str) -> str:
    if any(mark in value for mark in ("\n", " ;", " #")):
        raise CatalogueError(
            f"supervisord would cut {value!r} short; remove line breaks, ' ;' and ' #'"
        )
    return value.replace("%", "%%")


def start(home: Home, java_home: Path) -> None:
    """Start supervisord in the background, with only HOME from the caller's environment."""
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration_path(home))]
    environment = {
        "HOME": os.environ.get("HOME", str(home.folder)),
        "PATH": f"{java_home}/bin:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        MARK_VARIABLE: home.mark,
    }
    done = subprocess.run(
        command, env=environment, cwd=home.root, check=False, capture_output=True, text=True
    )
    deadline = time.monotonic() + START_SECONDS
    while done.returncode == 0 and time.monotonic() < deadline:
        if is_alive(home):
            return
        time.sleep(POLL_SECONDS)
    raise StackError(
        f"the supervisor does not start, see {log_of(home, 'supervisord')}:\n"
        f"{done.stdout}{done.stderr}"
    )


def write_configuration(home: Home, launches: Iterable[Launch]) -> bool:
    """Write the configuration; return whether it changed."""
    path, text = configuration_path(home), render(home, launches)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    write_private(path, text)
    return True


def apply_configuration(home: Home) -> list[str]:
    """Apply a changed configuration to what does not run; return the services that keep the old.

    Without this a service that is started later would run with the settings that supervisord read
    when it was started itself.
    """
    [[added, changed, removed]] = call(home, "reloadConfig")
    found = processes(home)
    kept = sorted(name for name in (*changed, *removed) if found[name].state in ACTIVE)
    for name in (*changed, *removed):
        if name not in kept:
            call(home, "removeProcessGroup", name)
    for name in (*added, *(name for name in changed if name not in kept)):
        call(home, "addProcessGroup", name)
    return kept


def call(home: Home, method: str, *arguments: Any) -> Any:
    """Call a method of supervisord, on its own connection so that threads may call it."""
    from supervisor.xmlrpc import SupervisorTransport

    transport = SupervisorTransport(None, None, f"unix://{home.socket}")
    proxy = ServerProxy("http://127.0.0.1", transport=transport)
    try:
        return getattr(proxy.supervisor, method)(*arguments)
    finally:
        transport.close()


def start_process(home: Home, name: str) -> None:
    """Start a service without waiting until it is ready.

    A service that exits within the call is no error here: supervisord restarts it like any other.
    """
    try:
        call(home, "startProcess", name, False)
    except Fault as fault:
        if fault.faultCode != _SPAWN_ERROR:
            raise


def is_alive(home: Home) -> bool:
    """Whether this home's supervisord is running."""
    try:
        return bool(call(home, "getState")["statename"] == "RUNNING")
    except (OSError, HTTPException, ProtocolError):
        return False


def processes(home: Home) -> Mapping[str, Process]:
    """Return the state of every service by name; empty if supervisord does not run."""
    if not is_alive(home):
        return {}
    return {raw["name"]: _process(raw) for raw in call(home, "getAllProcessInfo")}


def process(home: Home, name: str) -> Process:
    """Return the state of one service."""
    return _process(call(home, "getProcessInfo", name))


def _process(raw: Mapping[str, Any]) -> Process:
    return Process(
        name=raw["name"],
        state=raw["statename"],
        pid=raw["pid"],
        exit_status=raw["exitstatus"],
        uptime_seconds=max(0, raw["now"] - raw["start"]) if raw["pid"] else 0,
    )


def shut_down(home: Home) -> None:
    """Shut supervisord down, with every service that still runs."""
    pid = call(home, "getPID")
    running = [psutil.Process(pid)] if psutil.pid_exists(pid) else []
    call(home, "shutdown")
    psutil.wait_procs(running, STOP_SECONDS)
