"""Read compose.toml: what docker-compose.yml needs beside the catalogue."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fraudwatch.stack.catalogue import Catalogue, CatalogueError, Service

OVERLAY_PATH = Path(__file__).with_name("compose.toml")
# Fields of [only.NAME] that belong to the service itself.
_OF_SERVICE = ("summary", "environment_name", "oneshot", "nice", "ports")
_HOST = re.compile(r"@(\w+):")


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """How a service differs in a container; compose.toml describes the fields."""

    image: str | None = None
    java: str | None = None
    jars: Mapping[str, str] = field(default_factory=dict)
    program: str | None = None
    command: str | None = None
    before: str | None = None
    probe: str | None = None
    health: str | None = None
    shell: str = "sh"
    environment: Mapping[str, str] = field(default_factory=dict)
    is_alone: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict)
    secret_files: tuple[str, ...] = ()
    memory_mib: int = 0
    needs: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    user: str | None = None


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """All of compose.toml, and the services that it adds to the catalogue's."""

    services: Mapping[str, Service]
    adjustments: Mapping[str, Adjustment]
    profiles: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, str]
    published: Mapping[str, str]
    folders: Mapping[str, tuple[str, ...]]
    folders_of_environments: Mapping[str, tuple[str, ...]]
    networks: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    beside: Mapping[str, Mapping[str, str]]
    inside: frozenset[str]
    links: Mapping[str, str]

    def adjustment(self, name: str) -> Adjustment:
        """Return how a service differs; most do not."""
        return self.adjustments.get(name, Adjustment())

    def needs(self, name: str) -> tuple[str, ...]:
        """Return what a service needs in containers: another project's image also its volumes."""
        configuration = ("configuration",) if name in self.provided_for() else ()
        own = (*self.services[name].needs, *self.adjustment(name).needs)
        return tuple(dict.fromkeys((*own, *self._databases(name), *configuration)))

    def _databases(self, name: str) -> list[str]:
        """Return the hosts in the URLs that a service gets as secrets."""
        values = self.services[name].environment.values()
        urls = [text for key, text in self.secrets.items() if f"{{setting.{key}}}" in values]
        return [host for url in urls for host in _HOST.findall(url)]

    def provided_for(self) -> tuple[str, ...]:
        """Return the services whose volumes `configuration` makes, and fills with settings.

        A new volume belongs to the user of the image that mounts it first, which must be ours.
        """
        return tuple(
            name
            for name, service in self.services.items()
            if self.adjustment(name).image and (service.prepare or self.adjustment(name).volumes)
        )

    def members(self, profile: str) -> frozenset[str]:
        """Return a profile's services with all that they need."""
        found, waiting = set[str](), [*self.profiles[profile]]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.needs(name)
        return frozenset(found)


def parse(text: str, catalogue: Catalogue) -> Overlay:
    """Parse compose.toml; refuse names that the catalogue does not have."""
    raw = tomllib.loads(text)
    added = {name: _service(name, table) for name, table in raw["only"].items()}
    services = {**catalogue.services, **added}
    adjusted = {**raw["service"], **raw["only"]}
    overlay = Overlay(
        services=services,
        adjustments={name: _adjustment(name, table) for name, table in adjusted.items()},
        profiles=_tuples(raw["profiles"]),
        folders=_tuples(raw["folders"]),
        folders_of_environments=_tuples(raw["folders_of_environments"]),
        networks=_tuples(raw["networks"]),
        left_out=raw["left_out"],
        published=raw["published"],
        settings=raw["settings"],
        secrets=raw["secrets"],
        beside=raw["beside"],
        inside=frozenset(raw["loopback"]["inside"]),
        links=raw["loopback"]["links"],
    )
    _check_names(overlay)
    return overlay


def _service(name: str, table: Mapping[str, Any]) -> Service:
    own = {key: value for key, value in table.items() if key in _OF_SERVICE}
    return Service(name=name, command=table.get("command", ""), **own)


def _adjustment(name: str, table: Mapping[str, Any]) -> Adjustment:
    try:
        return Adjustment(**_own_fields(table))
    except TypeError as error:
        raise CatalogueError(f"compose.toml, [{name}]: {error}") from error


def _own_fields(table: Mapping[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in table.items() if key not in _OF_SERVICE}
    return {key: tuple(v) if isinstance(v, list) else v for key, v in own.items()}


def _tuples(table: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in table.items()}


def _check_names(overlay: Overlay) -> None:
    named = {name for group in overlay.profiles.values() for name in group}
    named |= {name for group in overlay.networks.values() for name in group}
    named |= {name for group in overlay.folders.values() for name in group}
    named |= overlay.left_out.keys()
    if unknown := (named | overlay.adjustments.keys()) - overlay.services.keys():
        raise CatalogueError(f"compose.toml names services that do not exist: {sorted(unknown)}")


@cache
def load() -> Overlay:
    """Load compose.toml beside the catalogue of this project."""
    from fraudwatch.stack import catalogue

    return parse(OVERLAY_PATH.read_text(encoding="utf-8"), catalogue.load())
