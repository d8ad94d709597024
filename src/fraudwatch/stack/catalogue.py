"""The catalogue of services (services.toml) as frozen values, and what its placeholders stand for.

It knows nothing about starting anything: the runner, the installer and the tests all read it here.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

CATALOGUE_PATH = Path(__file__).with_name("services.toml")
HIGHEST_PORT = 65_535
AUTOMATIC = "auto"
_PLACEHOLDER = re.compile(r"\{([a-z]+(?:\.\w+)*)\}")


class CatalogueError(ValueError):
    """services.toml says something that cannot be followed."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process of the stack, placeholders still open."""

    name: str
    summary: str
    command: str
    needs: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    probe: str | None = None
    environment_name: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: str | None = None
    oneshot: bool = False
    memory_mib: int = 0
    nice: int = 0
    """How far it stands back for others when the processor is wanted by all (nice(1), up to 19)."""
    stop_seconds: int = 10
    ready_seconds: int = 120
    leaves_orphans: bool = False
    """Whether children outlive its sudden death; its next life then begins by ending them."""

    def placeholders(self) -> frozenset[str]:
        """Every placeholder this service uses anywhere."""
        texts = (self.command, self.probe or "", *self.environment.values())
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text))

    def jars(self) -> frozenset[str]:
        """Names of the class paths it needs."""
        return self._named("jars.")

    def environment_names(self) -> frozenset[str]:
        """The Python environments it runs in or hands on."""
        own = {self.environment_name} if self.environment_name else set[str]()
        return self._named("python.") | own

    def setting_names(self) -> frozenset[str]:
        """The variables of .env that it asks for."""
        return self._named("setting.")

    def _named(self, prefix: str) -> frozenset[str]:
        return frozenset(
            p.removeprefix(prefix) for p in self.placeholders() if p.startswith(prefix)
        )


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One process, ready to be started: nothing is left open."""

    service: Service
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    probe: str | None
    ports: Mapping[str, int]

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name


@dataclass(frozen=True)
class Catalogue:
    """All services and the profiles that choose among them."""

    services: Mapping[str, Service]
    profiles: Mapping[str, tuple[str, ...]]
    automatic: Mapping[str, str] = field(default_factory=dict)
    """What `auto` stands for in .env, by the variable's name."""

    def profile(self, name: str) -> tuple[str, ...]:
        """The services of a profile, each after those it needs."""
        if name not in self.profiles:
            raise CatalogueError(
                f"no profile {name!r}; there are {', '.join(sorted(self.profiles))}"
            )
        return tuple(self.sorter(self.profiles[name]).static_order())

    def sorter(self, names: Iterable[str]) -> TopologicalSorter[str]:
        """The order in which these services may start."""
        return TopologicalSorter({name: self.services[name].needs for name in names})

    def port(self, service: str, name: str, offset: int) -> int:
        """A port with the offset added."""
        number = self.services[service].ports[name] + offset
        if not 0 < number <= HIGHEST_PORT:
            raise CatalogueError(
                f"{service} would listen on port {number}, which does not exist; "
                "choose a smaller FRAUDWATCH_PORT_OFFSET"
            )
        return number

    def launch(self, name: str, values: Mapping[str, str]) -> Launch:
        """Fill one service's placeholders from `values`, ports included."""
        service = self.services[name]

        def fill(text: str) -> str:
            return _filled(text, values, service.name)

        return Launch(
            service=service,
            # Split first: a path with a space in it stays one argument.
            argv=tuple(fill(part) for part in shlex.split(service.command)),
            environment={key: fill(value) for key, value in service.environment.items()},
            probe=fill(service.probe) if service.probe else None,
            ports={key: int(values[f"port.{name}.{key}"]) for key in service.ports},
        )

    def port_values(self, offset: int) -> dict[str, str]:
        """`port.SERVICE.NAME` for every port there is."""
        return {
            f"port.{service.name}.{name}": str(self.port(service.name, name, offset))
            for service in self.services.values()
            for name in service.ports
        }

    def setting_values(
        self, settings: Mapping[str, str], values: Mapping[str, str]
    ) -> dict[str, str]:
        """`setting.NAME` for every line of .env, `auto` replaced where it stands for something."""
        return {
            f"setting.{name}": _filled(self.automatic[name], values, "automatic")
            if value == AUTOMATIC and name in self.automatic
            else value
            for name, value in settings.items()
        }

    def setting_names(self) -> frozenset[str]:
        """The variables of .env that services ask for."""
        return frozenset(
            name for service in self.services.values() for name in service.setting_names()
        )


def _value(values: Mapping[str, str], key: str, service: str) -> str:
    if key not in values:
        raise CatalogueError(f"services.toml, [{service}]: nothing is known as {{{key}}}")
    return values[key]


def _filled(text: str, values: Mapping[str, str], place: str) -> str:
    return _PLACEHOLDER.sub(lambda found: _value(values, found[1], place), text)


def _service(name: str, raw: Mapping[str, Any], shared: Mapping[str, Mapping[str, str]]) -> Service:
    own = {key: value for key, value in raw.items() if key != "environment_from"}
    own["environment"] = _environment(name, raw, shared)
    try:
        return Service(name=name, **{**own, "needs": tuple(raw.get("needs", ()))})
    except TypeError as wrong:
        raise CatalogueError(f"services.toml, [{name}]: {wrong}") from wrong


def _environment(
    name: str, raw: Mapping[str, Any], shared: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    found = dict[str, str]()
    for source in raw.get("environment_from", ()):
        if source not in shared:
            raise CatalogueError(f"services.toml, [{name}]: there is no [shared.{source}]")
        found |= shared[source]
    return {**found, **raw.get("environment", {})}


def parse(text: str) -> Catalogue:
    """Read a catalogue and refuse one that could never be started."""
    raw = tomllib.loads(text)
    profiles = {name: tuple(members) for name, members in raw.pop("profiles", {}).items()}
    automatic, shared = raw.pop("automatic", {}), raw.pop("shared", {})
    services = {name: _service(name, table, shared) for name, table in raw.items()}
    catalogue = Catalogue(services, profiles, automatic)
    for service in services.values():
        if unknown := set(service.needs) - services.keys():
            raise CatalogueError(f"services.toml, [{service.name}] needs unknown {sorted(unknown)}")
    for name, members in profiles.items():
        _check_profile(catalogue, name, members)
    return catalogue


def _check_profile(catalogue: Catalogue, name: str, members: tuple[str, ...]) -> None:
    if unknown := set(members) - catalogue.services.keys():
        raise CatalogueError(f"services.toml, profile {name}: unknown {sorted(unknown)}")
    missing = {need for m in members for need in catalogue.services[m].needs} - set(members)
    if missing:
        raise CatalogueError(f"services.toml, profile {name}: lacks the needed {sorted(missing)}")
    try:
        catalogue.sorter(members).prepare()
    except CycleError as wrong:
        raise CatalogueError(f"services.toml, profile {name}: a circle, {wrong.args[1]}") from wrong


@cache
def load() -> Catalogue:
    """The catalogue that ships with the project."""
    return parse(CATALOGUE_PATH.read_text(encoding="utf-8"))
