"""A stack of its own: another home, other secrets, free ports; for tests, proofs and benchmarks.

It never touches the stack that a person runs, and it is driven as a person drives that one.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from fraudwatch.settings import CassandraSettings, HiveSettings, KafkaSettings
from fraudwatch.stack import catalogue, env_file, java, supervisor
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.place import ROOT, Place, Unusable
from fraudwatch.stack.state import ServiceState, profile_of, status_of

_COMMAND_SECONDS = 900
# No two ports of the catalogue lie a multiple of the step apart (ingest and the console: 500), so
# stacks of different offsets never want the same port.
OFFSETS = range(20_000, 50_000, 317)
_LAST_CHARACTERS = 4_000

log = logging.getLogger(__name__)

# For proofs and benchmarks: what is sent and promised is known in full only from their own load.
QUIET_SHOP = {
    "SHOP_CUSTOMERS": "50",
    "SHOP_HISTORY_DAYS": "1",
    "SHOP_HISTORY_PURCHASES": "200",
    "SHOP_LIVE_PURCHASES_PER_SECOND": "0.2",
}


@dataclass(frozen=True)
class PrivateStack:
    """A home whose services run: its ports, its secrets, and the command line over it."""

    home: Path
    offset: int

    @property
    def place(self) -> Place:
        """The home as the stack's own parts know it."""
        return replace(Place.from_environment(), home=self.home.resolve())

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ./fraudwatch on this home."""
        mine = {"FRAUDWATCH_HOME": str(self.home), "FRAUDWATCH_PORT_OFFSET": str(self.offset)}
        return subprocess.run(
            [ROOT / "fraudwatch", *words],
            env=os.environ | mine,
            check=check,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
        )

    def beside_the_detector(self, module: str, *words: str) -> dict[str, Any]:
        """How subprocess runs a module in the detector's environment, as the broker's admin."""
        kafka = self.kafka("admin")
        return {
            "args": [str(self.place.environments / "detector/bin/python"), "-m", module, *words],
            "cwd": ROOT,
            "env": {
                **os.environ,
                "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                "KAFKA_USERNAME": kafka.username,
                "KAFKA_PASSWORD": kafka.password.get_secret_value(),
            },
            "text": True,
        }

    def port(self, service: str, name: str) -> int:
        """A port of a service."""
        return catalogue.load().port(service, name, self.offset)

    @cached_property
    def settings(self) -> dict[str, str]:
        """The home's .env, secrets included, and the offset that its commands are given beside."""
        own = env_file.parse((self.home / ".env").read_text(encoding="utf-8"))
        return own | {env_file.PORT_OFFSET: str(self.offset)}

    @cached_property
    def launches(self) -> dict[str, Launch]:
        """Every service as this home starts it."""
        java_home = java.ensure(self.place, log.info)
        return all_launches(self.place, catalogue.load(), self.settings, java_home)

    def kafka(self, user: str) -> KafkaSettings:
        """How this user reaches the broker."""
        return KafkaSettings(
            bootstrap_servers=f"127.0.0.1:{self.port('kafka', 'broker')}",
            username=user,
            password=SecretStr(self.settings[f"KAFKA_{user.upper()}_PASSWORD"]),
        )

    def cassandra(self, role: str) -> CassandraSettings:
        """How this role reaches Cassandra."""
        return CassandraSettings(
            port=self.port("cassandra", "cql"),
            username=role,
            password=SecretStr(self.settings[f"CASSANDRA_{role.upper()}_PASSWORD"]),
        )

    def hive(self, user: str) -> HiveSettings:
        """How this login reaches the Thrift Server."""
        return HiveSettings(
            port=self.port("thrift_server", "thrift"),
            username=user,
            password=SecretStr(self.settings[f"HIVE_{user.upper()}_PASSWORD"]),
        )

    def http(self, service: str, key: str) -> httpx.Client:
        """A client of a service, with the key that .env names so."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port(service, 'http')}",
            headers={"Authorization": f"Bearer {self.settings[key]}"},
            timeout=30,
        )

    @property
    def webhdfs_url(self) -> str:
        """The lake's files over HTTP."""
        return f"http://127.0.0.1:{self.port('namenode', 'http')}"

    def states(self, *names: str) -> dict[str, ServiceState]:
        """Status of these services by name, of the whole profile if none is named.

        Asked in this process: `./fraudwatch status` starts a shell, a Python and every driver anew.
        """
        services = catalogue.load()
        asked = names or services.profile(profile_of(self.place))
        return {s.name: s for s in status_of(asked, self.place, services, self.settings)}

    def pid(self, service: str) -> int:
        """The process id of a service that runs.

        Raises:
            Unusable: it does not run.
        """
        found = supervisor.process(self.place, service)
        if found.pid <= 1:
            raise Unusable(f"{service} does not run ({found.state}): it has no process id")
        return found.pid


@contextmanager
def running(home: Path, settings: Mapping[str, str], profile: str) -> Iterator[PrivateStack]:
    """Start a profile in an empty home with these settings of .env; stop it afterwards.

    Raises:
        Unusable: it did not start; the text holds the end of what the start said.
    """
    (home / ".env").write_text(_env_text(settings), encoding="utf-8")
    stack = PrivateStack(home, free_offset())
    try:
        up = stack.command("up", "--profile", profile, "--json", check=False)
        if up.returncode != 0:
            raise Unusable(f"the stack in {home} did not start:\n{up.stderr[-_LAST_CHARACTERS:]}")
        yield stack
    finally:
        stack.command("down", check=False)


def _env_text(settings: Mapping[str, str]) -> str:
    """The settings alone: whatever is left out, secrets first of all, the start makes itself."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def free_offset() -> int:
    """An offset under which every port of the catalogue is free now.

    Drawn at random: stacks that start at the same time see the same ports free.
    """
    services = catalogue.load().services.values()
    ports = [port for service in services for port in service.ports.values()]
    for offset in random.SystemRandom().sample(OFFSETS, len(OFFSETS)):
        if all(_is_free(port + offset) for port in ports):
            return offset
    raise Unusable("no offset leaves every port free; end other stacks or test runs")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
