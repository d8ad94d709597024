"""Read the service catalogue (services.toml) and fill its placeholders.

It starts nothing: the runner, the installer and the tests all read the catalogue here.
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
    """services.toml is invalid, or a value that it needs is missing."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service or job of the stack, its placeholders not yet filled."""

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
    """CPU priority as nice(1) counts it: up to 19, where a higher value yields to others."""
    vital: bool = False
    """Whether verdicts or their rows stop without it; systemd then restarts the whole stack."""
    stop_seconds: int = 10
    ready_seconds: int = 120
    leaves_orphans: bool = False
    """Whether its children survive when it is killed; its next start then ends them first."""
    program: str | None = None
    """Program of the system that it runs; without it the service is left out."""
    program_fix: str = ""
    scraped_port: str | None = None
    """Name of the port that serves /metrics, if it is not `metrics`."""

    def scraped_ports(self) -> tuple[str, ...]:
        """Return the names of the ports that Prometheus scrapes: its own metrics, its JVM's."""
        own = {self.scraped_port, "metrics", "jmx"}
        return tuple(name for name in self.ports if name in own)

    def placeholders(self) -> frozenset[str]:
        """Return every placeholder of this service."""
        texts = (self.command, self.probe or "", *self.environment.values())
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text))

    def jars(self) -> frozenset[str]:
        """Return the names of the class paths it needs."""
        return self._named("jars.")

    def environment_names(self) -> frozenset[str]:
        """Return the Python environments it runs in or passes on."""
        own = {self.environment_name} if self.environment_name else set[str]()
        return self._named("python.") | own

    def setting_names(self) -> frozenset[str]:
        """Return the variables of .env that it uses."""
        return self._named("setting.")

    def _named(self, prefix: str) -> frozenset[str]:
        return frozenset(
            p.removeprefix(prefix) for p in self.placeholders() if p.startswith(prefix)
        )


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A service ready to start: command, environment, probe and ports with no placeholder left."""

    service: Service
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    probe: str | None
    ports: Mapping[str, int]

    @property
    def name(self) -> str:
        """Name of the service."""
        return self.service.name


@dataclass(frozen=True)
class Catalogue:
    """All services, and the profiles that select from them."""

    services: Mapping[str, Service]
    profiles: Mapping[str, tuple[str, ...]]
    automatic: Mapping[str, str] = field(default_factory=dict)
    """Value that replaces `auto` in .env, by variable name."""

    def profile(self, name: str) -> tuple[str, ...]:
        """Return the services of a profile, each after those it needs."""
        if name not in self.profiles:
            raise CatalogueError(
                f"no profile {name!r}; there are {', '.join(sorted(self.profiles))}"
            )
        return tuple(self.sorter(self.profiles[name]).static_order())

    def sorter(self, names: Iterable[str]) -> TopologicalSorter[str]:
        """Sort these services topologically, by what each needs."""
        return TopologicalSorter({name: self.services[name].needs for name in names})

    def port(self, service: str, name: str, offset: int) -> int:
        """Return a port with the offset added."""
        number = self.services[service].ports[name] + offset
        if not 0 < number <= HIGHEST_PORT:
            raise CatalogueError(
                f"{service} would listen on port {number}, which does not exist; "
                "choose a smaller FRAUDWATCH_PORT_OFFSET"
            )
        return number

    def launch(self, name: str, values: Mapping[str, str]) -> Launch:
        """Fill one service's placeholders from `values`, which include the ports."""
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
        """Return `port.SERVICE.NAME` for every port of the catalogue."""
        return {
            f"port.{service.name}.{name}": str(self.port(service.name, name, offset))
            for service in self.services.values()
            for name in service.ports
        }

    def setting_values(
        self, settings: Mapping[str, str], values: Mapping[str, str]
    ) -> dict[str, str]:
        """Return `setting.NAME` for every line of .env, `auto` replaced if a value is defined."""
        return {
            f"setting.{name}": _filled(self.automatic[name], values, "automatic")
            if value == AUTOMATIC and name in self.automatic
            else value
            for name, value in settings.items()
        }

    def setting_names(self) -> frozenset[str]:
        """Return the variables of .env that services use."""
        return frozenset(
            name for service in self.services.values() for name in service.setting_names()
        )


def _value(values: Mapping[str, str], key: str, service: str) -> str:
    if key not in values:
        raise CatalogueError(f"services.toml, [{service}]: placeholder {{{key}}} is unknown")
    return values[key]


def _filled(text: str, values: Mapping[str, str], section: str) -> str:
    return _PLACEHOLDER.sub(lambda found: _value(values, found[1], section), text)


def _service(name: str, raw: Mapping[str, Any], shared: Mapping[str, Mapping[str, str]]) -> Service:
    own = {key: value for key, value in raw.items() if key != "environment_from"}
    own["environment"] = _environment(name, raw, shared)
    try:
        return Service(name=name, **{**own, "needs": tuple(raw.get("needs", ()))})
    except TypeError as error:
        raise CatalogueError(f"services.toml, [{name}]: {error}") from error


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
    """Parse a catalogue and refuse one that cannot be started."""
    raw = tomllib.loads(text)
    profiles = {name: tuple(members) for name, members in raw.pop("profiles", {}).items()}
    automatic, shared = raw.pop("automatic", {}), raw.pop("shared", {})
    services = {name: _service(name, table, shared) for name, table in raw.items()}
    catalogue = Catalogue(services, profiles, automatic)
    for service in services.values():
        if unknown := set(service.needs) - services.keys():
            raise CatalogueError(f"services.toml, [{service.name}] needs unknown {sorted(unknown)}")
        _check_optional(catalogue, service)
    for name, members in profiles.items():
        _check_profile(catalogue, name, members)
    return catalogue


def _check_optional(catalogue: Catalogue, service: Service) -> None:
    programs = {need: catalogue.services[need].program for need in service.needs}
    if unmet := [
        need for need, program in programs.items() if program not in {None, service.program}
    ]:
        raise CatalogueError(
            f"services.toml, [{service.name}] needs {unmet}, which is left out where its program "
            "is missing; only services of the same program may need it"
        )


def _check_profile(catalogue: Catalogue, name: str, members: tuple[str, ...]) -> None:
    if unknown := set(members) - catalogue.services.keys():
        raise CatalogueError(f"services.toml, profile {name}: unknown {sorted(unknown)}")
    missing = {need for m in members for need in catalogue.services[m].needs} - set(members)
    if missing:
        raise CatalogueError(f"services.toml, profile {name}: lacks the needed {sorted(missing)}")
    try:
        catalogue.sorter(members).prepare()
    except CycleError as error:
        raise CatalogueError(
            f"services.toml, profile {name}: circular needs, {error.args[1]}"
        ) from error


@cache
def load() -> Catalogue:
    """Load the catalogue of this project."""
    return parse(CATALOGUE_PATH.read_text(encoding="utf-8"))
