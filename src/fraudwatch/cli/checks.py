"""What `doctor` looks at. Each check says what it found and, where broken, the cure."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil

from fraudwatch.stack import env_file, environments, jars, java, processes, scala_jars
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.environments import Say
from fraudwatch.stack.launches import JAR_LISTS
from fraudwatch.stack.place import Place, Unusable
from fraudwatch.stack.state import MIB, profile_of, status

GIB = 1024 * MIB
LEAST_FREE_GIB = 5
INSTALL = "./fraudwatch up installs it"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of `doctor`."""

    name: str
    ok: bool
    found: str
    cure: str = ""


def examine(place: Place, catalogue: Catalogue, say: Say) -> list[Check]:
    """Every check; nothing is changed."""
    say("looking ...")
    states = status(place, catalogue)
    running = any(state.state != "stopped" for state in states)
    found = [_java(place), _disk(place), _env_file(place), *_installed(place, catalogue)]
    if not running:
        return [*found, _memory(place, catalogue), _ports(place, catalogue), _leftovers(place)]
    return found + [
        Check(
            name=state.name,
            ok=state.ready,
            found=f"{state.state}, {'answers' if state.ready else 'does not answer'}",
            cure="" if state.ready else f"./fraudwatch logs {state.name}; then down and up",
        )
        for state in states
    ]


def _java(place: Place) -> Check:
    if home := java.current(place):
        return Check(name="java", ok=True, found=f"{java.MAJOR} at {home}")
    fetchable = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    found = f"no Java {java.MAJOR}" + (" yet; one will be fetched" if fetchable else "")
    return Check(name="java", ok=fetchable, found=found, cure=java.CURE)


def _disk(place: Place) -> Check:
    where = next(p for p in (place.home, *place.home.parents) if p.exists())
    free = shutil.disk_usage(where).free / GIB
    return Check(
        name="disk",
        ok=free >= LEAST_FREE_GIB,
        found=f"{free:.0f} GiB free at {where}",
        cure=f"free {LEAST_FREE_GIB} GiB or set FRAUDWATCH_HOME to another disk",
    )


def _memory(place: Place, catalogue: Catalogue) -> Check:
    names = catalogue.profile(profile_of(place))
    needed = sum(catalogue.services[name].memory_mib for name in names)
    free = psutil.virtual_memory().available // MIB
    return Check(
        name="memory",
        ok=free >= needed,
        found=f"{free} MiB available, about {needed} MiB needed",
        cure="end other programs, or use a machine with more memory",
    )


def _env_file(place: Place) -> Check:
    try:
        path, values = place.env_file, env_file.read(place)
    except Unusable as wrong:
        return Check(name="settings", ok=False, found=str(wrong), cure="move one of them away")
    if values is None:
        return Check(name="settings", ok=True, found=f"{path} will be made at the first start")
    missing = env_file.variables(place) - values.keys()
    try:
        env_file.check(values, path)
        env_file.port_offset(values)
    except Unusable as wrong:
        return Check(name="settings", ok=False, found=str(wrong), cure=f"edit {path}")
    if path.stat().st_mode & 0o077:
        return Check(
            name="settings",
            ok=False,
            found=f"{path} is open to others",
            cure=f"chmod 600 {path}",
        )
    note = f"; {len(missing)} new lines will be added" if missing else ""
    return Check(name="settings", ok=True, found=f"{path}, private, no weak secret{note}")


def _ports(place: Place, catalogue: Catalogue) -> Check:
    try:
        offset = env_file.port_offset(env_file.read(place) or {}, os.environ)
        wanted = [
            (name, catalogue.port(name, port, offset))
            for name in catalogue.profile(profile_of(place))
            for port in catalogue.services[name].ports
        ]
    except (Unusable, ValueError) as wrong:
        return Check(name="ports", ok=False, found=str(wrong), cure="correct the offset")
    taken = processes.clashes(wanted)
    found = ", ".join(f"{c.port} ({c.service}) is held by {c.owner}" for c in taken)
    return Check(
        name="ports",
        ok=not taken,
        found=found or f"all {len(wanted)} are free (offset {offset})",
        cure=f"end that program, or choose another {env_file.PORT_OFFSET}",
    )


def _leftovers(place: Place) -> Check:
    count = len(processes.marked(place))
    return Check(
        name="leftovers",
        ok=count == 0,
        found=f"{count} processes of an earlier run" if count else "none",
        cure="./fraudwatch down",
    )


def _installed(place: Place, catalogue: Catalogue) -> Iterator[Check]:
    """Absent is no fault, the next start mends it; altered is one."""
    names = {s.environment_name for s in catalogue.services.values() if s.environment_name}
    current: Mapping[str, bool] = {
        **{f"environment {name}": environments.is_current(place, name) for name in sorted(names)},
        **{f"jars {name}": jars.is_verified(place, name) for name in sorted(JAR_LISTS)},
        **{
            f"jar {name}": scala_jars.is_current(place, jar)
            for name, jar in scala_jars.SCALA_JARS.items()
        },
    }
    absent = [name for name, ok in current.items() if not ok]
    found = f"not current: {', '.join(absent)}; {INSTALL}" if absent else "everything is current"
    yield Check(name="installed", ok=True, found=found)
    for name in sorted(JAR_LISTS):
        if altered := jars.altered(place, name):
            yield Check(name=f"jars {name}", ok=False, found=f"altered: {altered}", cure=INSTALL)
