"""Write the scrape targets of Prometheus from the catalogue, as file-based service discovery."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from fraudwatch.stack import env_file
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.home import Home, write_private

TARGETS: Final = "targets.json"
ALERTMANAGERS: Final = "alertmanagers.json"
_ALERTMANAGER: Final = "alertmanager"

Address = Callable[[str, str], str]
"""Host and port of a service's port, by their names."""


def scrape_targets(
    catalogue: Catalogue, names: Iterable[str], address: Address
) -> list[dict[str, object]]:
    """List the targets of these services; the label `job` is the service's name."""
    return [
        {"targets": [address(name, port)], "labels": {"job": name}}
        for name in names
        for port in catalogue.services[name].scraped_ports()
    ]


def write_targets(
    home: Home, catalogue: Catalogue, names: Iterable[str], settings: Mapping[str, str]
) -> None:
    """Write the targets of the services that run; Prometheus reads a changed file by itself."""
    offset = env_file.port_offset(settings)

    def address(service: str, port: str) -> str:
        return f"{home.host(service)}:{catalogue.port(service, port, offset)}"

    running = tuple(names)
    managers = [address(_ALERTMANAGER, "http")] if _ALERTMANAGER in running else []
    folder = home.folder / "prometheus"
    _write(folder / TARGETS, scrape_targets(catalogue, running, address))
    _write(folder / ALERTMANAGERS, [{"targets": managers}])


def _write(path: Path, groups: list[dict[str, object]]) -> None:
    write_private(path, json.dumps(groups, indent=2) + "\n")
