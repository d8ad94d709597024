"""Paths inside the images, and the volumes of a container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fraudwatch.stack import catalogue
from fraudwatch.stack.catalogue import CatalogueError, Service
from fraudwatch.stack.compose.overlay import Adjustment, Overlay
from fraudwatch.stack.home import Home
from fraudwatch.stack.launches import all_jars

# As docker/Dockerfile sets them.
IN_IMAGE = "/app"
HOME = "/var/lib/fraudwatch"
RUNTIME = "/opt/fraudwatch"
JAVA = "/opt/java"
_FOLDER = re.compile(r"\{home\}/([\w/]+)")


def values_of(service: Service, adjustment: Adjustment) -> dict[str, str]:
    """Return the value of every placeholder but settings inside a service's container."""
    found = {"root": IN_IMAGE, "home": HOME, **catalogue.load().port_values(0)}
    found |= {f"port.{service.name}.{name}": str(port) for name, port in service.ports.items()}
    if adjustment.image:
        found |= {f"jars.{name}": path for name, path in adjustment.jars.items()}
        named = {"java": adjustment.java, "program": adjustment.program}
        return found | {name: path for name, path in named.items() if path}
    home = Home(root=Path(__file__).parents[4], runtime=Path(RUNTIME), folder=Path(HOME))
    pythons = {
        f"python.{name}": f"{RUNTIME}/envs/{name}/bin/python"
        for name in service.environment_names()
    }
    return {**found, **pythons, **all_jars(home), "python": "python", "java": JAVA}


def volumes_of(overlay: Overlay, name: str) -> Iterator[str]:
    """List a service's volumes: the home's folders that it names, read-only unless it writes."""
    for folder in sorted(_folders(overlay, name)):
        writers = overlay.folders[folder]
        mode = "" if not writers or name in writers else ":ro"
        yield f"{volume_name(folder)}:{HOME}/{folder}{mode}"


def volume_name(folder: str) -> str:
    """Return the volume of a folder of the home."""
    return folder.replace("/", "_")


def _folders(overlay: Overlay, name: str) -> set[str]:
    service, adjustment = overlay.services[name], overlay.adjustment(name)
    if name == "configuration":
        return {folder for engine in overlay.provided_for() for folder in _folders(overlay, engine)}
    texts = [adjustment.command or service.command, *adjustment.environment.values()]
    texts += [] if adjustment.is_alone else service.environment.values()
    paths = {found.rstrip("/") for text in texts for found in _FOLDER.findall(text)}
    shared = overlay.folders_of_environments.get(service.environment_name or "", ())
    return {_folder_of(overlay, name, path) for path in paths} | {*adjustment.volumes, *shared}


def prepared(overlay: Overlay) -> tuple[str, ...]:
    """Return other projects' engines whose settings the service `configuration` renders."""
    return tuple(
        name
        for name, service in overlay.services.items()
        if service.prepare and overlay.adjustment(name).image
    )


def _folder_of(overlay: Overlay, name: str, path: str) -> str:
    for folder in overlay.folders:
        if path == folder or path.startswith(f"{folder}/"):
            return folder
    raise CatalogueError(
        f"{name} uses {{home}}/{path}, which is in no volume; add its folder to [folders] in "
        "compose.toml"
    )
