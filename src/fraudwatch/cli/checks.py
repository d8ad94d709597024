"""Checks of `doctor`: each reports what was found and, if it failed, the fix."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil

from fraudwatch.stack import env_file, environments, jars, java, processes, scala_jars
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.launches import JAR_LISTS
from fraudwatch.stack.state import MIB, profile_of, status
from fraudwatch.stack.system_programs import runnable_profile

GIB = 1024 * MIB
LEAST_FREE_GIB = 5
INSTALL = "./fraudwatch up installs it"


@dataclass(frozen=True, kw_only=True)
class Check:
    """Result of one check: a line of `doctor`."""

    name: str
    ok: bool
    found: str
    cure: str = ""


def examine(home: Home, catalogue: Catalogue, notify: Notify) -> list[Check]:
    """Run every check; nothing is changed."""
    notify("checking ...")
    states = status(home, catalogue)
    running = any(state.state != "stopped" for state in states)
    found = [_java(home), _disk(home), _env_file(home), *_installed(home, catalogue)]
    if not running:
        return [*found, _memory(home, catalogue), _ports(home, catalogue), _leftovers(home)]
    return found + [
        Check(
            name=state.name,
            ok=state.ready,
            found=f"{state.state}, {'answers' if state.ready else 'does not answer'}",
            cure="" if state.ready else f"./fraudwatch logs {state.name}; then down and up",
        )
        for state in states
    ]


def _java(home: Home) -> Check:
    if java_home := java.current(home):
        return Check(name="java", ok=True, found=f"{java.MAJOR} at {java_home}")
    fetchable = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    found = f"no Java {java.MAJOR}" + (" yet; one will be downloaded" if fetchable else "")
    return Check(name="java", ok=fetchable, found=found, cure=java.FIX)


def _disk(home: Home) -> Check:
    where = next(p for p in (home.folder, *home.folder.parents) if p.exists())
    free = shutil.disk_usage(where).free / GIB
    return Check(
        name="disk",
        ok=free >= LEAST_FREE_GIB,
        found=f"{free:.0f} GiB free at {where}",
        cure=f"free {LEAST_FREE_GIB} GiB or set FRAUDWATCH_HOME to another disk",
    )


def _memory(home: Home, catalogue: Catalogue) -> Check:
    names = runnable_profile(catalogue, profile_of(home))
    needed = sum(catalogue.services[name].memory_mib for name in names)
    free = psutil.virtual_memory().available // MIB
    return Check(
        name="memory",
        ok=free >= needed,
        found=f"{free} MiB available, about {needed} MiB needed",
        cure="end other programs, or use a machine with more memory",
    )


def _env_file(home: Home) -> Check:
    try:
        path, values = home.env_file, env_file.read(home)
    except StackError as error:
        return Check(name="settings", ok=False, found=str(error), cure="move one of them away")
    if values is None:
        return Check(name="settings", ok=True, found=f"{path} will be created at the first start")
    missing = env_file.variables(home) - values.keys()
    try:
        env_file.check(values, path)
        env_file.port_offset(values)
    except StackError as error:
        return Check(name="settings", ok=False, found=str(error), cure=f"edit {path}")
    if path.stat().st_mode & 0o077:
        return Check(
            name="settings",
            ok=False,
            found=f"{path} is open to others",
            cure=f"chmod 600 {path}",
        )
    note = f"; {len(missing)} new lines will be added" if missing else ""
    return Check(name="settings", ok=True, found=f"{path}, private, no weak secret{note}")


def _ports(home: Home, catalogue: Catalogue) -> Check:
    try:
        offset = env_file.port_offset(env_file.read(home) or {}, os.environ)
        wanted = [
            (name, catalogue.port(name, port, offset))
            for name in runnable_profile(catalogue, profile_of(home))
            for port in catalogue.services[name].ports
        ]
    except (StackError, ValueError) as error:
        return Check(name="ports", ok=False, found=str(error), cure="correct the offset")
    conflicts = processes.port_conflicts(wanted)
    found = ", ".join(f"{c.port} ({c.service}) is used by {c.owner}" for c in conflicts)
    return Check(
        name="ports",
        ok=not conflicts,
        found=found or f"all {len(wanted)} are free (offset {offset})",
        cure=f"end that program, or choose another {env_file.PORT_OFFSET}",
    )


def _leftovers(home: Home) -> Check:
    count = len(processes.marked(home))
    return Check(
        name="leftovers",
        ok=count == 0,
        found=f"{count} processes of an earlier run" if count else "none",
        cure="./fraudwatch down",
    )


def _installed(home: Home, catalogue: Catalogue) -> Iterator[Check]:
    """Check installed files: missing ones pass, because the next start installs them."""
    names = {s.environment_name for s in catalogue.services.values() if s.environment_name}
    current: Mapping[str, bool] = {
        **{f"environment {name}": environments.is_current(home, name) for name in sorted(names)},
        **{f"jars {name}": jars.is_verified(home, name) for name in sorted(JAR_LISTS)},
        **{
            f"jar {name}": scala_jars.is_current(home, jar)
            for name, jar in scala_jars.SCALA_JARS.items()
        },
    }
    absent = [name for name, ok in current.items() if not ok]
    found = f"not current: {', '.join(absent)}; {INSTALL}" if absent else "everything is current"
    yield Check(name="installed", ok=True, found=found)
    for name in sorted(JAR_LISTS):
        if altered := jars.altered(home, name):
            yield Check(name=f"jars {name}", ok=False, found=f"altered: {altered}", cure=INSTALL)
