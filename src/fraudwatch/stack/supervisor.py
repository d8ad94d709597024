"""Supervisord as the keeper of processes: its generated configuration, its start, its answers.

It restarts what dies and keeps the logs. It knows no dependencies (runner.py does) and leaves
processes behind when it is itself killed (processes.py sweeps by the inherited mark).
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
from fraudwatch.stack.place import MARK_VARIABLE, Place, Unusable, write_private

START_SECONDS = 20
STOP_SECONDS = 60
POLL_SECONDS = 0.1
# Dying earlier than this counts as a failed start; five in a row and supervisord gives up (FATAL).
STEADY_SECONDS = 5
START_RETRIES = 5
LOG_BYTES = "20MB"
LOG_BACKUPS = 3
_DIED_AT_ONCE = 50  # SPAWN_ERROR of supervisor.xmlrpc.Faults
ACTIVE = frozenset({"STARTING", "RUNNING", "BACKOFF"})


@dataclass(frozen=True, kw_only=True)
class Process:
    """What supervisord says about one service."""

    name: str
    state: str
    pid: int
    exit_status: int
    uptime_seconds: int


def configuration_path(place: Place) -> Path:
    """Where the generated configuration lies; it holds secrets."""
    return place.run_folder / "supervisord.conf"


def log_of(place: Place, name: str) -> Path:
    """A service's log."""
    return place.log_folder / f"{name}.log"


def render(place: Place, launches: Iterable[Launch]) -> str:
    """The whole configuration: every service of the catalogue, none started by itself."""
    head = [
        "[supervisord]",
        f"directory={_ini(str(place.root))}",
        f"logfile={_ini(str(log_of(place, 'supervisord')))}",
        f"pidfile={_ini(str(place.run_folder / 'supervisord.pid'))}",
        "umask=077",
        "[unix_http_server]",
        f"file={_ini(str(place.socket))}",
        "chmod=0600",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    return "\n".join(
        [*head, *(line for launch in launches for line in _program(place, launch)), ""]
    )


def _program(place: Place, launch: Launch) -> list[str]:
    # A killed supervisord takes its children along at once; the sweep finds the grandchildren.
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
        f"stdout_logfile={_ini(str(log_of(place, service.name)))}",
        f"stdout_logfile_maxbytes={LOG_BYTES}",
        f"stdout_logfile_backups={LOG_BACKUPS}",
    ]


def _quoted(value: str) -> str:
    if '"' in value:
        raise CatalogueError("supervisord cannot take a double quote in an environment value")
    return f'"{value}"'


def _ini(value: str) -> str:
    if any(mark in value for mark in ("\n", " ;", " #")):
        raise CatalogueError(f"supervisord would cut {value!r} short; choose a plainer path")
    return value.replace("%", "%%")


def start(place: Place, java_home: Path) -> None:
    """Start supervisord in the background, with nothing of the caller's environment but HOME."""
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration_path(place))]
    environment = {
        "HOME": os.environ.get("HOME", str(place.home)),
        "PATH": f"{java_home}/bin:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        MARK_VARIABLE: place.mark,
    }
    done = subprocess.run(
        command, env=environment, cwd=place.root, check=False, capture_output=True, text=True
    )
    deadline = time.monotonic() + START_SECONDS
    while done.returncode == 0 and time.monotonic() < deadline:
        if is_alive(place):
            return
        time.sleep(POLL_SECONDS)
    raise Unusable(
        f"the supervisor does not start, see {log_of(place, 'supervisord')}:\n"
        f"{done.stdout}{done.stderr}"
    )


def write_configuration(place: Place, launches: Iterable[Launch]) -> bool:
    """Write the configuration; returns whether it differs from what stood there."""
    path, text = configuration_path(place), render(place, launches)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    write_private(path, text)
    return True


def call(place: Place, method: str, *arguments: Any) -> Any:
    """One question to supervisord; a connection each, so that threads may ask."""
    from supervisor.xmlrpc import SupervisorTransport

    transport = SupervisorTransport(None, None, f"unix://{place.socket}")
    proxy = ServerProxy("http://127.0.0.1", transport=transport)
    try:
        return getattr(proxy.supervisor, method)(*arguments)
    finally:
        transport.close()


def start_process(place: Place, name: str) -> None:
    """Have a service started; whoever waits for it learns how that went.

    One that dies within the call itself is no error here: supervisord tries it again like any.
    """
    try:
        call(place, "startProcess", name, False)
    except Fault as fault:
        if fault.faultCode != _DIED_AT_ONCE:
            raise


def is_alive(place: Place) -> bool:
    """Whether this home's supervisord answers."""
    try:
        return bool(call(place, "getState")["statename"] == "RUNNING")
    except (OSError, HTTPException, ProtocolError):
        return False


def processes(place: Place) -> Mapping[str, Process]:
    """What runs; empty where no supervisord answers."""
    if not is_alive(place):
        return {}
    return {raw["name"]: _process(raw) for raw in call(place, "getAllProcessInfo")}


def process(place: Place, name: str) -> Process:
    """What supervisord says about one service."""
    return _process(call(place, "getProcessInfo", name))


def _process(raw: Mapping[str, Any]) -> Process:
    return Process(
        name=raw["name"],
        state=raw["statename"],
        pid=raw["pid"],
        exit_status=raw["exitstatus"],
        uptime_seconds=max(0, raw["now"] - raw["start"]) if raw["pid"] else 0,
    )


def shut_down(place: Place) -> None:
    """End supervisord and with it whatever it still keeps."""
    pid = call(place, "getPID")
    keeper = [psutil.Process(pid)] if psutil.pid_exists(pid) else []
    call(place, "shutdown")
    psutil.wait_procs(keeper, STOP_SECONDS)
